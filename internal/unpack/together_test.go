package unpack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// meeting are archives of one batch whose names meet, and meet what others are moved to.
func meeting(random *rand.Rand, archives int) [][]file {
	lists := make([][]file, archives)
	for i := range lists {
		text := func(name string) file {
			return file{name, fmt.Appendf(nil, "%s of archive %d", name, i+1), i%2 == 0}
		}
		for n := range 20 {
			lists[i] = append(lists[i], text(fmt.Sprintf("a%d.png", n)))
		}
		lists[i] = append(lists[i], text("a1.png"), text("a~archive-0002.png"), text("a0~archive-0001.png"),
			text("contents-0002.jsonl"), text("contents.jsonl"), text(fmt.Sprintf("own-%d.txt", i)),
			file{"large.bin", noise(random, 5<<20+1+random.IntN(6<<20)), i%2 == 1})
	}
	return lists
}

func togetherJob(server *s3test.Server, seed uint64, number int) Job {
	j := job(server)
	j.Prefix, j.Exclusive = fmt.Sprintf("all-%d/", seed), false
	j.Key = fmt.Sprintf("zips-%d/%04d.zip", seed, number)
	j.Owner = fmt.Sprintf("%s-%04d", testOwner, number)
	j.Part = fmt.Sprintf("0123456789abcdef-%04d", number)
	return j
}

// wantTogether checks that each archive's list has all of its files, each with its bytes, at a key of its own, and that
// nothing else is there. It returns where each archive's files are.
func wantTogether(t *testing.T, server *s3test.Server, jobs []Job, lists [][]file) (keys [][]string) {
	t.Helper()
	taken := map[string]int{}
	for i, j := range jobs {
		key := fmt.Sprintf("%scontents-%04d.jsonl", j.Prefix, i+1)
		data, ok := server.Object(t, key)
		if !ok {
			t.Fatalf("there is no %s", key)
		}
		taken[key]++
		lines := strings.Split(strings.TrimSpace(string(data)), "\n")
		if len(lines) != len(lists[i]) {
			t.Fatalf("archive %d: %d lines of %d", i+1, len(lines), len(lists[i]))
		}
		keys = append(keys, nil)
		for n, f := range lists[i] {
			var l line
			if err := json.Unmarshal([]byte(lines[n]), &l); err != nil || l.Name != f.name {
				t.Fatalf("archive %d, line %d: %s, %v", i+1, n+1, lines[n], err)
			}
			if got, _ := server.Object(t, l.Key); !bytes.Equal(got, f.content) {
				t.Errorf("archive %d: %s, at %s, has %d bytes that are not its own", i+1, f.name, l.Key, len(got))
			}
			taken[l.Key]++
			keys[i] = append(keys[i], l.Key)
		}
	}
	for _, key := range keysBelow(t, server, jobs[0].Prefix) {
		if taken[key] != 1 {
			t.Errorf("%s is the place of %d files", key, taken[key])
		}
	}
	noUploads(t, server, jobs[0].Prefix)
	return keys
}

// Archives of one batch are unpacked into one prefix at once, and killed: no file is lost, replaced or there twice.
func TestArchivesTogether(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for seed := range uint64(scheduleCount()/6 + 1) {
		random := rand.New(rand.NewPCG(seed, 13))
		const archives, runs = 3, 6
		lists := meeting(random, archives)
		jobs := make([]Job, archives)
		var all sync.WaitGroup
		for i := range jobs {
			jobs[i] = togetherJob(server, seed, i+1)
			jobs[i].ETag = putArchive(t, server, jobs[i].Key, zipOf(t, lists[i]))
			jobs[i].Overwrite = seed%2 == 1
			c := &chaos{random: rand.New(rand.NewPCG(seed, uint64(i)))}
			u := newUnpacker(t, server.Through(t, server.FaultProxy(t, true, c.decide)), fastOptions())
			all.Go(func() {
				for run := range runs {
					got, err := oneRun(t, u, jobs[i], c.begin(run == runs-1))
					if err == nil && got.Finished {
						return
					}
					wantResumable(t, err, false)
				}
				t.Errorf("archive %d is not finished, though its last run met no fault", i+1)
			})
		}
		all.Wait()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		wantTogether(t, server, jobs, lists)
	}
}

// Another attempt of an archive, by another execution, finds its files where the first one put them.
func TestArchivesTogetherAgain(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	lists := meeting(rand.New(rand.NewPCG(1, 1)), 2)
	jobs := []Job{togetherJob(server, 0, 1), togetherJob(server, 0, 2)}
	u := newUnpacker(t, server.Client, fastOptions())
	run := func() [][]string {
		for i := range jobs {
			if got, err := u.Run(testContext(t), jobs[i]); err != nil || !got.Finished {
				t.Fatalf("archive %d: %+v, %v", i+1, got, err)
			}
		}
		return wantTogether(t, server, jobs, lists)
	}
	for i := range jobs {
		jobs[i].ETag = putArchive(t, server, jobs[i].Key, zipOf(t, lists[i]))
	}
	first := run()
	if want := "all-0/a0~archive-0002.png"; first[1][0] != want {
		t.Errorf("the second archive's a0.png is at %s, want %s", first[1][0], want)
	}
	for i := range jobs {
		jobs[i].Owner, jobs[i].Overwrite = jobs[i].Owner+"-again", true
	}
	for i, keys := range run() {
		if !slices.Equal(keys, first[i]) {
			t.Errorf("archive %d: its files are at %v; they were at %v", i+1, keys, first[i])
		}
	}
}

// What is not of the batch is a conflict, as ever, and with Overwrite it is replaced.
func TestArchivesTogetherAndOthers(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	list := []file{{"a.png", []byte("mine"), false}}
	j := togetherJob(server, 0, 1)
	other := j
	other.Part, other.Owner = "fedcba9876543210-0001", "somebody else"
	j.ETag = putArchive(t, server, j.Key, zipOf(t, list))
	other.Key = "other.zip"
	other.ETag = putArchive(t, server, other.Key, zipOf(t, []file{{"a.png", []byte("theirs"), false}}))
	u := newUnpacker(t, server.Client, fastOptions())
	if _, err := u.Run(testContext(t), other); err != nil {
		t.Fatal(err)
	}
	_, err := u.Run(testContext(t), j)
	wantKind(t, err, KindConflict)
	j.Overwrite = true
	if _, err := u.Run(testContext(t), j); err != nil {
		t.Fatal(err)
	}
	wantTogether(t, server, []Job{j}, [][]file{list})
}
