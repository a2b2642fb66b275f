package system

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Variable is a line of the environment file.
type Variable struct{ Name, Value string }

// Environment is what a person's shell needs so that every AWS tool talks to this system.
func (s *System) Environment() []Variable {
	return []Variable{
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
	for _, v := range s.Environment() {
		fmt.Fprintf(&text, "export %s=%s\n", v.Name, quote(v.Value))
	}
	path := s.EnvironmentFile()
	file, err := os.CreateTemp(filepath.Dir(path), ".env-") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(text.String())
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
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
			env[name] = unquote(value)
		}
	}
	return env, nil
}

// unquote undoes quote.
func unquote(value string) string {
	inner, ok := strings.CutPrefix(value, "'")
	if !ok {
		return value
	}
	return strings.ReplaceAll(strings.TrimSuffix(inner, "'"), `'\''`, "'")
}
