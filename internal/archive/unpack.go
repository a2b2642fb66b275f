package archive

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// maxUnpackPrefixBytes leaves room for names behind the prefix, which are shortened if need be.
const maxUnpackPrefixBytes = maxKeyBytes - 128

// UnpackRequest says whether the archive's files become objects, too, and where. In JSON it is true, false or an object.
type UnpackRequest struct {
	Wanted bool
	// Prefix is a folder; a missing slash at its end is added. "" means the archive's key without .zip.
	Prefix string
	// DropArchive deletes the archive when all objects are there: "keepArchive": false.
	DropArchive bool
	// Together has the files of all of a batch's archives directly below one prefix. A single archive's are there anyway.
	Together bool
	// Part says that other archives go to the same prefix: the batch, in hexadecimal, and the archive's number in it, such as
	// "0123456789abcdef-0002". A batch gives it to each of its archives.
	Part string
}

var partPattern = regexp.MustCompile(`^[0-9a-f]{8,64}-[0-9]{1,10}$`)

type unpackFields struct {
	Prefix      string `json:"prefix,omitempty"`
	KeepArchive *bool  `json:"keepArchive,omitempty"`
	Together    bool   `json:"together,omitempty"`
	Part        string `json:"part,omitempty"`
}

// UnmarshalJSON takes true, false or an object.
func (u *UnpackRequest) UnmarshalJSON(raw []byte) error {
	*u = UnpackRequest{}
	if len(raw) > 0 && raw[0] != '{' && string(raw) != "null" {
		return json.Unmarshal(raw, &u.Wanted)
	}
	var f *unpackFields
	if err := json.Unmarshal(raw, &f); err != nil || f == nil {
		return err
	}
	*u = UnpackRequest{
		Wanted: true, Prefix: f.Prefix, DropArchive: f.KeepArchive != nil && !*f.KeepArchive, Together: f.Together, Part: f.Part,
	}
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (u UnpackRequest) MarshalJSON() ([]byte, error) {
	if !u.Wanted || u == (UnpackRequest{Wanted: true}) {
		return json.Marshal(u.Wanted)
	}
	f := unpackFields{Prefix: u.Prefix, Together: u.Together, Part: u.Part}
	if u.DropArchive {
		f.KeepArchive = new(bool)
	}
	return json.Marshal(f)
}

func (u UnpackRequest) check() error {
	if u.Part != "" && (u.Prefix == "" || !ValidPart(u.Part)) {
		return invalid("unpack.part is %q; a batch gives it to its archives, with unpack.prefix", u.Part)
	}
	if u.Prefix == "" {
		return nil
	}
	prefix := strings.TrimSuffix(u.Prefix, "/")
	if len(prefix) >= maxUnpackPrefixBytes {
		return invalid("unpack.prefix is longer than %d bytes; the names of the files need the rest of a key", maxUnpackPrefixBytes-1)
	}
	return checkKey("unpack.prefix", prefix+"/name")
}

// Unpacking is where an archive's files go, decided once, at the launch.
type Unpacking struct {
	Prefix      string `json:"prefix"` // with its slash
	KeepArchive bool   `json:"keepArchive"`
	// Exclusive says that the prefix is made from the execution's name, so that no other execution writes below it.
	Exclusive bool `json:"exclusive"`
	// Part is the request's: other archives of the same batch write below the prefix, too.
	Part string `json:"part,omitempty"`
}

// ContentsKey is the key of the list of contents: each archive of a batch has its own.
func (u Unpacking) ContentsKey() string { return u.Prefix + ContentsName(u.Part) }

// ContentsName is the name of a list of contents, behind the prefix. part is UnpackRequest's, or "".
func ContentsName(part string) string {
	if _, number, ok := strings.Cut(part, "-"); ok {
		return "contents-" + number + ".jsonl"
	}
	return "contents.jsonl"
}

// ValidPart says whether part is one, as UnpackRequest has it.
func ValidPart(part string) bool { return partPattern.MatchString(part) }

// resolve decides where the files of the archive at key go; nil when they are not to be unpacked.
func (u UnpackRequest) resolve(key string, exclusive bool) (*Unpacking, error) {
	if !u.Wanted {
		return nil, nil
	}
	to := &Unpacking{Prefix: strings.TrimSuffix(u.Prefix, "/") + "/", KeepArchive: !u.DropArchive, Part: u.Part}
	if u.Prefix == "" {
		to.Exclusive = exclusive
		stem := key
		if n := len(key) - len(".zip"); n > 0 && strings.EqualFold(key[n:], ".zip") && key[n-1] != '/' {
			stem = key[:n]
		}
		to.Prefix = stem + "/"
		if stem == key { // an object and a folder of one name are two things in S3, and cannot be on a disk
			to.Prefix = stem + ".unpacked/"
		}
	}
	if len(to.Prefix) > maxUnpackPrefixBytes {
		return nil, invalid("the key is longer than %d bytes, which leaves no room for the names of the archive's files; "+
			"choose a shorter one, or set unpack.prefix", maxUnpackPrefixBytes)
	}
	return to, nil
}

// UnpackInput is what the unpack function gets. With Abort it ends what an interrupted unpacking has left instead.
type UnpackInput struct {
	Job         Job         `json:"job"`
	Archive     *Output     `json:"archive"` // what the transfer answered; null with Abort
	Destination Destination `json:"destination"`
	Execution   Execution   `json:"execution"`
	Abort       bool        `json:"abort"`
}

// For names whom the step is for.
func (in UnpackInput) For() (Execution, string) { return in.Execution, in.Job.ID }

// UnpackOutput is what the unpack function answers. Output is the execution's, as far as it is known: it has Unpacked when
// the unpacking is finished; when it is not, the function is to be run again and goes on where it was.
type UnpackOutput struct {
	Finished     bool    `json:"finished"`
	ObjectsDone  int64   `json:"objectsDone"`
	ObjectsTotal int64   `json:"objectsTotal"`
	BytesDone    int64   `json:"bytesDone"`
	BytesTotal   int64   `json:"bytesTotal"`
	Output       *Output `json:"output"`
}

// Unpacked says where the archive's files are.
type Unpacked struct {
	Prefix   string `json:"prefix"`
	Objects  int64  `json:"objects"`
	Bytes    int64  `json:"bytes"`
	Contents string `json:"contents"` // the key of the list of all objects, one JSON line each
}

// Owner names the execution in the metadata of the objects that it writes: its ARN, which metadata can hold unless the
// execution's name has letters beyond ASCII.
func (e Execution) Owner() string {
	if strings.ContainsFunc(e.ID, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(e.ID)))
	}
	return e.ID
}
