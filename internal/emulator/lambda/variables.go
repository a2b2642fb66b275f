package lambda

import (
	"path/filepath"
	"strconv"
)

// variables is the whole environment of a process: what AWS sets
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html), then what the function asks for. Nothing
// comes from the person's shell, whose AWS_PROFILE or HOME must not decide where a function writes.
func (e *environment) variables(api string) []string {
	f, region := e.function, e.function.service.options.Region
	list := []string{
		"AWS_LAMBDA_RUNTIME_API=" + api,
		"AWS_LAMBDA_FUNCTION_NAME=" + f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME=" + newStream(e.started),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"AWS_REGION=" + region,
		"AWS_DEFAULT_REGION=" + region,
		"LAMBDA_TASK_ROOT=" + filepath.Dir(f.Binary),
		"_HANDLER=bootstrap",
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
		"TMPDIR=" + e.tempDir,
	}
	for name, value := range f.Env {
		list = append(list, name+"="+value) // the last of two with one name counts (os/exec)
	}
	return list
}
