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
		`{"prefix":"a","keepArchive":false}`:    {Wanted: true, Prefix: "a", DropArchive: true},
		`{"together":true}`:                     {Wanted: true, Together: true},
		`{"prefix":"a","part":"01234567-0002"}`: {Wanted: true, Prefix: "a", Part: "01234567-0002"},
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
		`{"part":"01234567-0002"}`: "unpack.part", `{"prefix":"a","part":"2"}`: "unpack.part", `{"together":1}`: "together",
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
		"nothing said":      {DestinationRequest{}, UnpackRequest{Wanted: true}, &Unpacking{Prefix: "archives/run-1/", KeepArchive: true, Exclusive: true}},
		"beside a key":      {DestinationRequest{Key: "a/b.ZIP"}, UnpackRequest{Wanted: true}, &Unpacking{Prefix: "a/b/", KeepArchive: true}},
		"a key without zip": {DestinationRequest{Key: "a/b"}, UnpackRequest{Wanted: true}, &Unpacking{Prefix: "a/b.unpacked/", KeepArchive: true}},
		"a key of zip only": {DestinationRequest{Key: "a/.zip"}, UnpackRequest{Wanted: true}, &Unpacking{Prefix: "a/.zip.unpacked/", KeepArchive: true}},
		"prefix":            {DestinationRequest{}, UnpackRequest{Wanted: true, Prefix: "x"}, &Unpacking{Prefix: "x/", KeepArchive: true}},
		"prefix with slash": {DestinationRequest{}, UnpackRequest{Wanted: true, Prefix: "x/y/", DropArchive: true}, &Unpacking{Prefix: "x/y/"}},
		"of a batch": {DestinationRequest{}, UnpackRequest{Wanted: true, Prefix: "x/", Part: "01234567-0002"},
			&Unpacking{Prefix: "x/", KeepArchive: true, Part: "01234567-0002"}},
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
