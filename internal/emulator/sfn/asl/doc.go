// Package asl executes state machines that are written in the Amazon States Language, as far as the project's own
// definitions speak it, with JSONPath. A definition that uses more is refused, by the name of what is not known:
//
//   - states: Task (lambda:invoke, states:startExecution.sync:2), Pass, Wait, Choice, Succeed, Fail, and the distributed
//     Map over items in S3, at the top level;
//   - around them: Parameters, ResultSelector, ResultPath, OutputPath, Retry, Catch, TimeoutSeconds;
//   - in Choice rules: And, and the operators of the map operators;
//   - paths of names after dots, into the state's input or into $$.Execution;
//   - the intrinsic functions of the map functions.
//
// What it knows it does as AWS does, with the same history of events. A history can be taken up again: where a process
// was killed, and where a failed execution is redriven; see [Resume].
package asl
