package system

import (
	"context"
	"strings"
	"sync"

	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/local/notify"
)

// statusAfter are the events that end an execution, and the status that it then has.
var statusAfter = map[asl.EventType]asl.Status{
	"ExecutionSucceeded": asl.StatusSucceeded, "ExecutionFailed": asl.StatusFailed,
	"ExecutionTimedOut": asl.StatusTimedOut, "ExecutionAborted": asl.StatusAborted,
}

// watchExecutions gives the inbox an event for each execution that ends, as EventBridge does, until stop is called.
func (s *System) watchExecutions(ctx context.Context) (stop func()) {
	var group sync.WaitGroup
	config := notify.Config{Deliver: s.deliver, Logger: s.logs.logger(inboxFunction)}
	unsubscribe := s.StepFunctions.Subscribe(func(u stepfunctions.Update) {
		status, ended := statusAfter[u.Event.Type]
		if !ended || u.MapRunARN != "" || ctx.Err() != nil {
			return
		}
		at := u.Event.Time
		name := u.ExecutionARN[strings.LastIndexByte(u.ExecutionARN, ':')+1:]
		group.Go(func() {
			notify.Deliver(ctx, config, name, notify.Ended(Region, Account, u.ExecutionARN, name, string(status), at))
		})
	})
	return func() {
		unsubscribe()
		group.Wait()
	}
}
