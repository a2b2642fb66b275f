package system

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// environment is what a person's shell needs so that every AWS tool talks to this system: names and values.
func (s *System) environment() [][2]string {
	return [][2]string{
		{"AWS_ENDPOINT_URL_S3", s.S3.Endpoint},
		{"AWS_ENDPOINT_URL_SFN", s.StepFunctionsURL},
		{"AWS_CA_BUNDLE", s.S3.CAFile},
		{"AWS_ACCESS_KEY_ID", s.S3.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", s.S3.SecretAccessKey},
		{"AWS_REGION", s.S3.Region},
		{"AWS_DEFAULT_REGION", s.S3.Region}, // what version 1 of the AWS CLI reads
		{"BUCKET", Bucket},
		{"STATE_MACHINE_ARN", s.StepFunctions.MachineARN(ArchiveMachine)},
		{"BATCH_STATE_MACHINE_ARN", s.StepFunctions.MachineARN(BatchMachine)},
		{"SYNC_STATE_MACHINE_ARN", s.StepFunctions.MachineARN(SyncMachine)},
		{"API_URL", s.APIURL},
	}
}

// WriteEnvironment writes the environment file, in one step and readable by its owner alone: it holds a secret. Close
// removes it.
func (s *System) WriteEnvironment() error {
	var text strings.Builder
	for _, v := range s.environment() {
		fmt.Fprintf(&text, "export %s=%s\n", v[0], quote(v[1]))
	}
	part := s.EnvironmentFile() + ".part"
	defer os.Remove(part)
	if err := os.WriteFile(part, []byte(text.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(part, s.EnvironmentFile())
}

// EnvironmentFile is where WriteEnvironment writes.
func (s *System) EnvironmentFile() string { return filepath.Join(s.dir, "env") }

// quote makes a shell take the value as it is, whatever is in it.
func quote(value string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:@%+,=", r)
	}
	if value != "" && strings.IndexFunc(value, func(r rune) bool { return !plain(r) }) < 0 {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// ReadEnvironment reads what WriteEnvironment has written for a system that keeps its things in dir.
func ReadEnvironment(dir string) (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "env"))
	if err != nil {
		return nil, err
	}
	env := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if ok {
			if inner, quoted := strings.CutPrefix(value, "'"); quoted {
				value = strings.ReplaceAll(strings.TrimSuffix(inner, "'"), `'\''`, "'")
			}
			env[name] = value
		}
	}
	return env, nil
}
