package main

import (
	"cmp"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/checksum"
	emulator "github.com/scenario-archive/scenario-archive/internal/emulator/s3"
)

// sink answers like S3 and keeps nothing, so that a server's disk does not hide what the client costs. It believes the
// checksum that a part's trailer brings. The archive's own file serves what is read back, and what is copied.
type sink struct {
	file string

	mu    sync.Mutex // over what is known of the archive
	meta  http.Header
	sum   string
	there bool
}

// startSink starts a sink for the archive of a file: one that is there from the beginning, or one that is yet to come.
func (s *setup) startSink(file string, there bool) (target storage, stop func(), err error) {
	server := httptest.NewUnstartedServer(&sink{file: file, there: there})
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	ca := filepath.Join(s.dir, "sink.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o644); err != nil {
		server.Close()
		return target, nil, err
	}
	access := emulator.Access{Endpoint: server.URL, CAFile: ca, AccessKeyID: "sink", SecretAccessKey: "sink", Region: "us-east-1"}
	return storage{access, "bench"}, server.Close, nil
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	isArchive := strings.HasSuffix(r.URL.Path, "/"+objectKey)
	switch {
	case r.Header.Get("X-Amz-Copy-Source") != "":
		s.copyPart(w, r)
	case r.Method == http.MethodPut:
		takePart(w, r, cmp.Or(q.Get("partNumber"), "whole"))
	case r.Method == http.MethodPost && q.Has("uploads"):
		if isArchive {
			s.mu.Lock()
			s.meta = r.Header.Clone()
			s.mu.Unlock()
		}
		reply(w, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
	case r.Method == http.MethodPost:
		_, _ = io.Copy(io.Discard, r.Body)
		sum := r.Header.Get("X-Amz-Checksum-Crc64nvme")
		if isArchive {
			s.mu.Lock()
			s.sum, s.there = sum, true
			s.mu.Unlock()
		}
		reply(w, "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag><ChecksumCRC64NVME>"+sum+"</ChecksumCRC64NVME>"+
			"<ChecksumCRC32>"+r.Header.Get("X-Amz-Checksum-Crc32")+"</ChecksumCRC32></CompleteMultipartUploadResult>")
	case r.Method == http.MethodDelete:
		if isArchive && !q.Has("uploadId") {
			s.mu.Lock()
			s.there = false
			s.mu.Unlock()
		}
		w.WriteHeader(http.StatusNoContent)
	case q.Has("list-type"):
		reply(w, "<ListBucketResult></ListBucketResult>")
	case q.Has("uploads"):
		reply(w, "<ListMultipartUploadsResult></ListMultipartUploadsResult>")
	case q.Has("uploadId"):
		reply(w, "<ListPartsResult></ListPartsResult>")
	case isArchive:
		s.archive(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func reply(w http.ResponseWriter, xml string) {
	w.Header().Set("Content-Type", "application/xml")
	_, _ = io.WriteString(w, "<?xml version=\"1.0\"?>\n"+xml)
}

// takePart reads a part, or an object in one, and answers with the checksum that its headers or its trailer have.
func takePart(w http.ResponseWriter, r *http.Request, etag string) {
	var last [256]byte // long enough for a trailer
	kept := last[:0]
	buf := make([]byte, 256<<10)
	for {
		n, err := r.Body.Read(buf)
		kept = append(kept, buf[max(0, n-len(last)):n]...)
		kept = append(last[:0], kept[max(0, len(kept)-len(last)):]...)
		if err != nil {
			break
		}
	}
	for _, name := range []string{"x-amz-checksum-crc64nvme", "x-amz-checksum-crc32"} {
		_, after, _ := strings.Cut(string(kept), name+":")
		value, _, _ := strings.Cut(after, "\r")
		if sum := cmp.Or(value, r.Header.Get(name)); sum != "" {
			w.Header().Set(name, sum)
		}
	}
	w.Header().Set("ETag", `"`+etag+`"`)
}

func (s *sink) archive(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	meta, sum, there := s.meta, s.sum, s.there
	s.mu.Unlock()
	if !there {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	for k, v := range meta {

		if strings.HasPrefix(k, "X-Amz-Meta-") {
			w.Header()[k] = v
		}
	}
	w.Header().Set("ETag", `"whole"`)
	if sum != "" && r.Header.Get("Range") == "" { // a checksum is of the whole object; S3 gives none with a range
		w.Header().Set("X-Amz-Checksum-Crc64nvme", sum)
		w.Header().Set("X-Amz-Checksum-Type", "FULL_OBJECT")
	}
	f, err := os.Open(s.file)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer f.Close()
	http.ServeContent(w, r, "archive.zip", time.Time{}, f)
}

// copyPart reckons the checksum of what a part gets from the archive.
func (s *sink) copyPart(w http.ResponseWriter, r *http.Request) {
	var from, to int64
	_, err := fmt.Sscanf(r.Header.Get("X-Amz-Copy-Source-Range"), "bytes=%d-%d", &from, &to)
	f, openErr := os.Open(s.file)
	if err = cmp.Or(err, openErr); err == nil {
		defer f.Close()
		sum := crc32.NewIEEE()
		if _, err = io.Copy(sum, io.NewSectionReader(f, from, to-from+1)); err == nil {
			reply(w, "<CopyPartResult><ETag>\"copied\"</ETag><ChecksumCRC32>"+checksum.Text(sum.Sum32())+"</ChecksumCRC32></CopyPartResult>")
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	w.WriteHeader(http.StatusInternalServerError)
}
