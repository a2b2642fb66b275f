package batch

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
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
	_, err := Storage{S3: b.Client, Bucket: "there-is-no-such-bucket"}.PutList(t.Context(), "x", []string{"a"})
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

func TestMoreThan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ids  string
		want bool
	}{{"", false}, {"a b", false}, {"a b a b a", false}, {"a b c", true}, {"a a b b c", true}} {
		if got := MoreThan(2, strings.Fields(c.ids)); got != c.want {
			t.Errorf("%s: got %v", c.ids, got)
		}
	}
}
