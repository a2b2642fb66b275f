package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"path"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

const (
	// ManifestName is the manifest's name beside the archives.
	ManifestName = "manifest.json"

	minDigits      = 4  // of an archive's number in its key
	maxNameBytes   = 40 // of a list's name in keys and in names of executions (Step Functions: 80 characters)
	digestDigits   = 16 // hexadecimal digits that stand for an archive's content: 64 bits
	runDigits      = 8  // those that stand for an attempt
	identityDigits = 8  // those of the whole batch in the default prefix
)

// naming makes a batch's keys and names. The same list with the same options gets the same ones, so that a repeat
// finds what is finished.
type naming struct {
	base   string // keys are base-0001.zip
	digits int
	run    string
}

// newNaming decides where a batch goes. identity stands for the list and the options.
func newNaming(in Input, defaultPrefix, identity, executionARN string, redrive, archives int) (naming, error) {
	n := naming{
		base: base(in, defaultPrefix, identity), digits: max(minDigits, len(fmt.Sprint(archives))),
		run: runOf(executionARN, redrive),
	}
	// The longest key stands for all.
	_, err := archive.Request{Destination: archive.DestinationRequest{Key: n.key(archives)}}.Resolve("", "", "")
	return n, err
}

func runOf(executionARN string, redrive int) string {
	return digestOf(fmt.Sprintf("%s\n%d", executionARN, redrive))[:runDigits]
}

// ChildEnd is what the names of the executions that one attempt of a batch starts end with.
func ChildEnd(executionARN string, redrive int) string { return "-" + runOf(executionARN, redrive) }

func base(in Input, defaultPrefix, identity string) string {
	d := in.Request.Destination
	if d.Key != "" {
		return strings.TrimSuffix(strings.TrimSuffix(d.Key, ".zip"), ".ZIP")
	}
	name := in.name()
	if d.Prefix != "" {
		return strings.TrimSuffix(d.Prefix, "/") + "/" + name
	}
	if defaultPrefix == "" {
		defaultPrefix = archive.DefaultPrefix
	}
	// The identity distinguishes lists of one name, and gives a list that is asked for again the same place.
	return strings.TrimSuffix(defaultPrefix, "/") + "/" + name + "-" + identity[:identityDigits] + "/" + name
}

// name is the list's own name, or "assets".
func (in Input) name() string {
	if in.List == nil {
		return "assets"
	}
	return plainName(strings.TrimSuffix(path.Base(in.List.Key), path.Ext(in.List.Key)))
}

// plainName keeps of a name what may stand in a key and in an execution's name.
func plainName(s string) string {
	s = strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
			return c
		}
		return '-'
	}, s)
	if s = strings.Trim(s[:min(len(s), maxNameBytes)], "-"); s == "" {
		return "assets"
	}
	return s
}

// workPrefix is where one attempt of a batch keeps its own files. An execution's name may have any letters, and two dots
// too; its ARN distinguishes what becomes alike without them.
func workPrefix(e archive.Execution, redrive int) string {
	return fmt.Sprintf("%s%s-%s/%d/", WorkPrefix, plainName(e.Name), digestOf(e.ID)[:runDigits], redrive)
}

func (n naming) number(i int) string { return fmt.Sprintf("%0*d", n.digits, i) }

func (n naming) key(i int) string { return n.base + "-" + n.number(i) + ".zip" }

func (n naming) manifest() string {
	if folder := path.Dir(n.base); folder != "." {
		return folder + "/" + ManifestName
	}
	return ManifestName
}

// execution is the name of the execution that makes archive i: <name>-<number>-<digest>-<attempt>. The attempt keeps
// it from the name of one that failed, which Step Functions does not give away again for 90 days.
func (n naming) execution(i int, digest string) string {
	return plainName(path.Base(n.base)) + "-" + n.number(i) + "-" + digest + "-" + n.run
}

// digestIn is the digest in such a name; "" if it has none.
func digestIn(execution string) string {
	parts := strings.Split(execution, "-")
	if len(parts) < 4 {
		return ""
	}
	digest, run := parts[len(parts)-2], parts[len(parts)-1]
	if len(digest) != digestDigits || len(run) != runDigits {
		return ""
	}
	return digest
}

// digester adds up what determines an archive's content: its assets in their order, and the options.
type digester struct {
	hash.Hash
	options []byte
}

func newDigester(r archive.Request) *digester {
	options, _ := json.Marshal(struct {
		Options any
		Project string
	}{r.Options, r.ProjectID}) // a struct of strings and a bool, which cannot fail
	return &digester{sha256.New(), options}
}

func (d *digester) add(id string) { _, _ = d.Write(append([]byte(id), '\n')) }

// sum is the digest in hexadecimal, of what was added since the last one.
func (d *digester) sum() string {
	_, _ = d.Write(d.options)
	s := hex.EncodeToString(d.Sum(nil))
	d.Reset()
	return s
}

func digestOf(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }
