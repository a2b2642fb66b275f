package batch

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

func TestPutListIsTheSameForTheSame(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	put := func(name string, ids ...string) List {
		l, err := b.storage().PutList(t.Context(), name, ids)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.get(l.Key); got != strings.Join(ids, "\n")+"\n" {
			t.Errorf("%s holds %q", l.Key, got)
		}
		return l
	}
	first := put("requests/héros.json", "a", "b", "a")
	if !strings.HasPrefix(first.Key, WorkPrefix+"lists/") || !strings.HasSuffix(first.Key, "/h-ros.txt") || first.Format != FormatText {
		t.Errorf("got %+v", first)
	}
	if put("héros.json", "a", "b", "a") != first {
		t.Error("the same list is another object")
	}
	keys := map[string]bool{first.Key: true}
	for _, l := range []List{put("x", "a", "b", "a"), put("x", "a", "b"), put("x", "b", "a"), put("x", "ab"), put("x", "a")} {
		if keys[l.Key] {
			t.Errorf("%s holds two lists", l.Key)
		}
		keys[l.Key] = true
	}
	_, err := Storage{bucket.Bucket{S3: b.Client, Name: "there-is-no-such-bucket"}}.PutList(t.Context(), "x", []string{"a"})
	if errorName(err) != "DestinationRefused" {
		t.Errorf("got %T %v", err, err)
	}
}

func TestListThatWasReplaced(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	b.put("requests/l.txt", "a\nb\n", nil)
	key := "requests/l.txt"
	h, err := b.Client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &b.Bucket, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	input := `{"list":{"key":"requests/l.txt","etag":"` + strings.Trim(*h.ETag, `"`) + `"}}`
	if p := b.mustPlan("x", 0, input); p.Assets != 2 {
		t.Errorf("got %+v", p)
	}
	b.put(key, "c\n", nil)
	if _, err := b.plan("y", 0, input); errorName(err) != "RequestInvalid" || !strings.Contains(err.Error(), "was replaced") {
		t.Errorf("got %T %v", err, err)
	}
}

func TestUnique(t *testing.T) {
	t.Parallel()
	for ids, want := range map[string]string{"": "", "a b": "a b", "b a b a c a": "b a c"} {
		if got := strings.Join(Unique(strings.Fields(ids)), " "); got != want {
			t.Errorf("%s: got %s", ids, got)
		}
	}
}

func TestInputOfAList(t *testing.T) {
	t.Parallel()
	text := ""
	for _, raw := range []string{
		`{"query":{"assetIds":["a"]},"destination":{"key":"x.zip"},"options":{"flat":true}}`,
		`{"options":{"flat":true,"fileNameTemplate":""},"destination":{"prefix":"","key":"x.zip"},"query":{"modelIds":[],"assetIds":["b"]}}`,
	} {
		in, err := ParseInput([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		got, err := in.Of(List{Key: "l", Format: FormatText})
		if err != nil || text != "" && got != text {
			t.Errorf("got %s, %v; want %s", got, err, text)
		}
		text = got
	}
	in, err := ParseInput([]byte(text))
	if err != nil || *in.List != (List{Key: "l", Format: FormatText}) || in.Request.Destination.Key != "x.zip" || in.AssetIDs != nil {
		t.Errorf("%s is read as %+v, %v", text, in, err)
	}
}

func TestIsLong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		request string
		want    bool
	}{
		{inline(ids(1, 1000), ""), false}, {inline(ids(1, 1001), ""), true}, {inline(make([]string, 1001), ""), true},
		{`{"query":{"modelIds":["a"` + strings.Repeat(`,"a"`, 1000) + `]}}`, false}, {`{"query":{"assetIds":1}}`, false},
		{`{"query":`, false}, {`null`, false}, {``, false},
	} {
		if got := IsLong([]byte(c.request)); got != c.want {
			t.Errorf("%.80s: got %v", c.request, got)
		}
	}
}

func TestClaim(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	for name, purposes := range map[string][]string{"one": {"archive", "batch", "archive"}, "other": {"batch", "batch"}} {
		for _, purpose := range purposes {
			if got, err := b.storage().Claim(t.Context(), name, purpose); err != nil || got != purposes[0] {
				t.Errorf("%s for %s: %q, %v", name, purpose, got, err)
			}
		}
	}
	_, err := Storage{bucket.Bucket{S3: b.Client, Name: "there-is-no-such-bucket"}}.Claim(t.Context(), "x", "y")
	if errorName(err) != "DestinationRefused" {
		t.Errorf("got %v", err)
	}
}
