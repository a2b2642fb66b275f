package archive

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestOwner(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]string{
		"arn:aws:states:us-east-1:000000000000:execution:archive:run-1": "arn:aws:states:us-east-1:000000000000:execution:archive:run-1",
		"arn:héros": "sha256:",
	} {
		got := Execution{ID: arn}.Owner()
		if strings.HasPrefix(want, "sha256:") {
			if !strings.HasPrefix(got, "sha256:") || len(got) != 71 || got == (Execution{ID: "arn:hèros"}).Owner() {
				t.Errorf("%s: got %q", arn, got)
			}
		} else if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestUnpackRequest(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]UnpackRequest{
		`true`: {Wanted: true}, `false`: {}, `{}`: {Wanted: true}, `null`: {},
		`{"prefix":"a/b/"}`: {Wanted: true, Prefix: "a/b/"}, `{"keepArchive":true}`: {Wanted: true},
		`{"prefix":"a","keepArchive":false}`: {Wanted: true, Prefix: "a", DropArchive: true},
	} {
		r, err := ParseRequest([]byte(`{"query":{"assetIds":["asset_1"]},"unpack":` + text + `}`))
		if err != nil || r.Unpack != want {
			t.Errorf("%s: got %+v, %v; want %+v", text, r.Unpack, err, want)
			continue
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if r, err = ParseRequest(again); err != nil || r.Unpack != want {
			t.Errorf("%s, written and read again (%s): got %+v, %v", text, again, r.Unpack, err)
		}
	}
}

func TestUnpackRequestThatIsWrong(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		`1`: "unpack", `"yes"`: "unpack", `[]`: "unpack", `{"prefix":1}`: "prefix", `{"preffix":"a/"}`: `"unpack.preffix"`,
		`{"prefix":"../a/"}`: "unpack.prefix", `{"prefix":"/"}`: "unpack.prefix", `{"prefix":"requests/a/"}`: "requests/",
		`{"prefix":"batches/"}`: "batches/", `{"prefix":"` + strings.Repeat("a/", 460) + `"}`: "longer", `{"keepArchive":"no"}`: "keepArchive",
	} {
		_, err := ParseRequest([]byte(`{"query":{"assetIds":["asset_1"]},"unpack":` + text + `}`))
		if NameOf(err) != RequestInvalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v; want RequestInvalid that says %s", text, err, says)
		}
	}
}

func TestResolveUnpacking(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		destination DestinationRequest
		unpack      UnpackRequest
		want        *Unpacking
	}{
		"not wanted":        {DestinationRequest{}, UnpackRequest{}, nil},
		"nothing said":      {DestinationRequest{}, UnpackRequest{Wanted: true}, &Unpacking{"archives/run-1/", true, true}},
		"beside a key":      {DestinationRequest{Key: "a/b.ZIP"}, UnpackRequest{Wanted: true}, &Unpacking{"a/b/", true, false}},
		"a key without zip": {DestinationRequest{Key: "a/b"}, UnpackRequest{Wanted: true}, &Unpacking{"a/b.unpacked/", true, false}},
		"a key of zip only": {DestinationRequest{Key: "a/.zip"}, UnpackRequest{Wanted: true}, &Unpacking{"a/.zip.unpacked/", true, false}},
		"prefix":            {DestinationRequest{}, UnpackRequest{Wanted: true, Prefix: "x"}, &Unpacking{"x/", true, false}},
		"prefix with slash": {DestinationRequest{}, UnpackRequest{true, "x/y/", true}, &Unpacking{"x/y/", false, false}},
	} {
		got, err := Request{Destination: c.destination, Unpack: c.unpack}.Resolve("bucket", "", "run-1")
		if err != nil || (got.Unpack == nil) != (c.want == nil) || c.want != nil && *got.Unpack != *c.want {
			t.Errorf("%s: got %+v, %v; want %+v", name, got.Unpack, err, c.want)
		}
	}
	if _, err := (Request{Destination: DestinationRequest{Key: strings.Repeat("k", 1000) + ".zip"}, Unpack: UnpackRequest{Wanted: true}}).Resolve("b", "", "n"); NameOf(err) != RequestInvalid {
		t.Errorf("a key that leaves no room: got %v", err)
	}
}
