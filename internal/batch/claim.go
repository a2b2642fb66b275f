package batch

import (
	"context"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// claimsPrefix is where names are taken. The bucket forgets them with the other files of batches.
const claimsPrefix = WorkPrefix + "keys/"

const maxPurpose = 1 << 10 // bytes

// Claim gives a name to the first of those who ask for it, and returns what that one said it is for. name is of letters,
// digits, '-' and '_'.
func (s Storage) Claim(ctx context.Context, name, purpose string) (string, error) {
	key := claimsPrefix + name
	_, err := s.Put(ctx, key, []byte(purpose), bucket.PutOptions{ContentType: "text/plain", IfMissing: true})
	if err == nil {
		return purpose, nil
	}
	if !bucket.IsChanged(err) {
		return "", err
	}
	taken, _, err := s.Read(ctx, key, maxPurpose, bucket.GetOptions{})
	return string(taken), err
}
