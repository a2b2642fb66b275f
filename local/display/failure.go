package display

import "cmp"

// hints say what to do on this machine about an execution's error. The cause says what was wrong.
var hints = map[string]string{
	"RequestInvalid": "Correct the request and run it again; docs/requests.md lists its fields.",
	"Unauthorized": "Check SCENARIO_API_KEY and SCENARIO_API_SECRET (and the project, if the request names one). " +
		"Without both, the stand-in is used, which needs none.",
	"RateLimited":            "Wait a little and run it again, or ask for fewer archives at once.",
	"ScenarioUnavailable":    "Scenario did not answer as it should. Try again later; check SCENARIO_BASE_URL and the network.",
	"JobFailed":              "Scenario could not make the archive. Check that all assets exist, then run it again.",
	"JobCanceled":            "Somebody canceled the job at Scenario. Run it again.",
	"JobTimedOut":            "Run it again, with a larger timeoutSeconds in the request if the archive is large.",
	"ArchiveURLExpired":      "Run it again: a new job gives a new URL.",
	"ArchiveChanged":         "The archive changed while it was copied. Run it again.",
	"ArchiveCorrupt":         "What Scenario served is not a whole ZIP file. Run it again.",
	"ArchiveUnsupported":     "The archive is there; unpack it with a tool that knows the method that the cause names.",
	"ArchiveIncomplete":      "Check that all assets exist and that your key may see them.",
	"ArchiveTooLarge":        "Ask for fewer assets at once.",
	"SourceForbidden":        "The archive's URL points to a host that is not allowed as a source.",
	"SourceUnavailable":      "The archive's host did not answer as it should. Run it again later.",
	"DestinationConflict":    "Choose another key, or set destination.overwrite to true.",
	"DestinationUnavailable": "The local S3 server did not answer as it should. Is the disk full?",
	"DestinationRefused":     "The local S3 server refused the object.",
	"BatchFailed":            "The manifest names the archives that are missing. Run it again: what is finished is not made again.",
	"States.Timeout":         "It took longer than the state machine allows. Run it again.",
}

// Failure prints how an execution failed: the named error, its cause, and what to do. where names the logs.
func (s *Screen) Failure(errorName, cause, where string) {
	s.Line("")
	s.Line("%s", s.paint(red, failureText(cmp.Or(errorName, "Failed"), cause)))
	if hint := hints[errorName]; hint != "" {
		s.Line("What to do: %s", hint)
	}
	if where != "" {
		s.Line("%s", where)
	}
}

// Problem prints why something could not be started.
func (s *Screen) Problem(err error) {
	s.Line("%s %v", s.paint(red, "error:"), err)
}
