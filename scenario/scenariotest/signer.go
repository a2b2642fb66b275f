package scenariotest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// signer makes and checks the URLs of archives. Each has an issue of its own, by which its use is counted.
type signer struct {
	key      []byte
	lifetime time.Duration

	mu   sync.Mutex
	used map[string]int64 // bytes sent, by issue
}

// maxIssues bounds how many URLs are counted at once.
const maxIssues = 10_000

func newSigner(key []byte, lifetime time.Duration) *signer {
	return &signer{key: key, lifetime: lifetime, used: map[string]int64{}}
}

func (s *signer) url(base string, j *job, now time.Time) string {
	expires := now.Add(s.lifetime)
	if j.Expired {
		expires = now.Add(-time.Second)
	}
	path := "/archives/" + j.ID + "/" + j.Created.UTC().Format("20060102") + "-export.zip"
	values := url.Values{"Expires": {strconv.FormatInt(expires.Unix(), 10)}, "Issue": {rand.Text()}}
	values.Set("Signature", s.sign(path, values))
	return base + path + "?" + values.Encode()
}

func (s *signer) sign(path string, values url.Values) string {
	mac := hmac.New(sha256.New, s.key)
	_, _ = mac.Write([]byte(path + "\n" + values.Get("Expires") + "\n" + values.Get("Issue"))) // never fails
	return hex.EncodeToString(mac.Sum(nil))
}

// problem says why a URL may not be used; empty: it may.
func (s *signer) problem(u *url.URL, now time.Time, forbidAfter int64) string {
	values := u.Query()
	if !hmac.Equal([]byte(s.sign(u.Path, values)), []byte(values.Get("Signature"))) {
		return "The request signature we calculated does not match the signature you provided"
	}
	expires, err := strconv.ParseInt(values.Get("Expires"), 10, 64)
	if err != nil || now.Unix() >= expires {
		return "Request has expired"
	}
	if forbidAfter > 0 && s.usage(values.Get("Issue")) >= forbidAfter {
		return "Access denied"
	}
	return ""
}

func (s *signer) usage(issue string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used[issue]
}

func (s *signer) use(issue string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.used) >= maxIssues {
		clear(s.used)
	}
	s.used[issue] += n
}
