package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/local/notify"
)

// watch sends the inbox an event for every object under requests/ and syncs/, also for those put there while nothing was
// running, and one for every execution that ends, as EventBridge does.
func (s *System) watch() error {
	client, closeIdle, err := s.S3.Connect(storageTime)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	config := notify.Config{
		Storage: client, Bucket: Bucket,
		Deliver: s.deliver, Known: notes{client}.has, Logger: s.logs.logger(inboxFunction),
	}
	var group sync.WaitGroup
	for _, prefix := range []string{"requests/", "syncs/"} {
		c := config
		c.Prefix = prefix
		group.Go(func() { notify.Watch(ctx, c) })
	}
	unsubscribe := s.StepFunctions.Subscribe(func(u stepfunctions.Update) {
		status, ended := statusAfter[u.Event.Type]
		if !ended || u.MapRunARN != "" || ctx.Err() != nil {
			return
		}
		name := u.ExecutionARN[strings.LastIndexByte(u.ExecutionARN, ':')+1:]
		event := notify.Ended(u.ExecutionARN, name, string(status), u.Event.Time)
		group.Go(func() { notify.Deliver(ctx, config, name, event) })
	})
	s.onClose(func() {
		cancel()
		unsubscribe()
		group.Wait()
		closeIdle()
	})
	return nil
}

// deliver gives an event to the inbox.
func (s *System) deliver(ctx context.Context, event []byte) error {
	result, functionError, err := s.entry.Invoke(ctx, inboxFunction, event)
	if err != nil {
		return err
	}
	if functionError != "" {
		var failed struct {
			Message string `json:"errorMessage"`
		}
		if json.Unmarshal(result, &failed) == nil && failed.Message != "" {
			return errors.New(failed.Message)
		}
		return fmt.Errorf("the function failed: %s", functionError)
	}
	return nil
}

// statusAfter are the events that end an execution, and the status that it then has.
var statusAfter = map[asl.EventType]asl.Status{
	"ExecutionSucceeded": asl.StatusSucceeded, "ExecutionFailed": asl.StatusFailed,
	"ExecutionTimedOut": asl.StatusTimedOut, "ExecutionAborted": asl.StatusAborted,
}

// notes are what the inbox has written into the bucket.
type notes struct{ client *awss3.Client }

// maxNote is more than a note of the inbox ever has.
const maxNote = 1 << 20

// has says whether the inbox has written a note about exactly this object that needs no change: then its event needs
// no delivery after a restart. An execution that was running may have ended meanwhile. When the note cannot be read, the
// answer is no.
func (n notes) has(ctx context.Context, key string, at time.Time) bool {
	stem := strings.TrimSuffix(key, path.Ext(key))
	for _, name := range []string{stem + ".status.json", stem + ".error.json", key + ".status.json", key + ".error.json"} {
		if n.isOf(ctx, name, key, notify.Time(at)) {
			return true
		}
	}
	return false
}

func (n notes) isOf(ctx context.Context, note, key, at string) bool {
	out, err := n.client.GetObject(ctx, &awss3.GetObjectInput{Bucket: aws.String(Bucket), Key: &note})
	if err != nil {
		return false
	}
	defer out.Body.Close()
	var read struct {
		Request   string `json:"request"`
		DroppedAt string `json:"droppedAt"`
		Status    string `json:"status"`
	}
	err = json.NewDecoder(io.LimitReader(out.Body, maxNote)).Decode(&read)
	return err == nil && read.Request == key && read.DroppedAt == at && read.Status != "running"
}
