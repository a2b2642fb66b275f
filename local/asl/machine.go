package asl

// Machine is a parsed and checked state machine. It is immutable and may be executed any number of times at once.
type Machine struct {
	comment string
}

// Parse reads a definition and checks all of it. Its error joins everything found wrong, each with the state and the
// field it is about.
func Parse(definition []byte) (*Machine, error) { return nil, ErrInterrupted }

// Comment is the definition's Comment.
func (m *Machine) Comment() string { return m.comment }
