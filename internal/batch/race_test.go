//go:build race

package batch

// fewer is by how much tests are smaller under the race detector, which makes them slower.
const fewer = 10
