package system

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator"
	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda"
)

// function describes a function as template.yaml deploys it, with the environment that it has here.
func (s *System) function(name string) lambda.Function {
	f := lambda.Function{Name: name, Binary: s.programs().Binary(name), Timeout: time.Minute, Env: s.scenarioVariables()}
	f.Env["BUCKET"] = Bucket
	f.Env["LOG_LEVEL"] = os.Getenv("LOG_LEVEL") // how much a person wants to see in .local/logs
	f.Env["STATE_MACHINE_ARN"] = machineARN(ArchiveMachine)
	f.Env["BATCH_STATE_MACHINE_ARN"] = machineARN(BatchMachine)
	f.Env["SYNC_STATE_MACHINE_ARN"] = machineARN(SyncMachine)
	if name == "changes" {
		f.Env["AWS_ENDPOINT_URL_SFN"] = s.StepFunctionsURL
	}
	if name == "plan" || name == "manifest" || name == "changes" || name == "synced" {
		f.MemoryMB, f.Timeout = 512, 15*time.Minute
		maps.Copy(f.Env, s.storageVariables())
	}
	if name == "transfer" || name == "unpack" {
		f.MemoryMB, f.Timeout = 1792, 15*time.Minute
		maps.Copy(f.Env, s.storageVariables())
		f.Env["PROGRESS_INTERVAL"] = "250ms"
	}
	if name == "transfer" {
		f.Env["ALLOWED_ARCHIVE_HOSTS"] = os.Getenv("ALLOWED_ARCHIVE_HOSTS") // the deployment's parameter AllowedArchiveHosts
		if s.Scenario.loopbackHTTP() {
			f.Env["SOURCE_ALLOW_LOOPBACK_HTTP"] = "true"
		}
	}
	return f
}

func machineARN(name string) string {
	return "arn:aws:states:" + emulator.Region + ":" + emulator.Account + ":stateMachine:" + name
}

// ExecutionARN is the ARN of an execution of a state machine, by their names.
func ExecutionARN(machine, name string) string {
	return "arn:aws:states:" + emulator.Region + ":" + emulator.Account + ":execution:" + machine + ":" + name
}

// passedOn are the only variables of the person's shell that a function gets, and only to reach the real Scenario: a
// company's proxy and its certificates.
var passedOn = []string{
	"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
}

func (s *System) scenarioVariables() map[string]string {
	env := map[string]string{
		"SCENARIO_BASE_URL":   s.Scenario.BaseURL,
		"SCENARIO_API_KEY":    s.Scenario.Key,
		"SCENARIO_API_SECRET": s.Scenario.Secret,
	}
	if s.StandIn {
		return env
	}
	for _, name := range passedOn {
		if value := os.Getenv(name); value != "" {
			env[name] = value
		}
	}
	return env
}

func (s *System) storageVariables() map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL_S3":   s.S3.Endpoint,
		"AWS_CA_BUNDLE":         s.S3.CAFile,
		"AWS_ACCESS_KEY_ID":     s.S3.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY": s.S3.SecretAccessKey,
	}
}

// functionLine keeps a function's line, and takes the progress of a transfer or an unpacking out of it.
func (s *System) functionLine(function, text string) {
	s.logs.write(function, text)
	if !strings.Contains(text, `"transfer progress"`) && !strings.Contains(text, `"unpack progress"`) {
		return
	}
	var p struct {
		Message   string `json:"msg"`
		Execution string `json:"execution"`
		Bytes     int64  `json:"bytes"`
		Size      int64  `json:"size"`
	}
	if json.Unmarshal([]byte(text), &p) == nil && strings.HasSuffix(p.Message, " progress") {
		s.progress.set(p.Execution, Moved{p.Bytes, p.Size})
	}
}
