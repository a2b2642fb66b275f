package main

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"flag"
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
// checksum that a part's trailer brings. The archive's own file serves what is read back.
type sink struct {
	file string

	mu    sync.Mutex
	parts map[string]string // part number: its element in a listing
	meta  http.Header
	sum   string
	done  bool
}

func serveSink(args []string) error {
	flags := flag.NewFlagSet("sink", flag.ExitOnError)
	s := &sink{parts: map[string]string{}}
	flags.StringVar(&s.file, "file", "", "")
	dir := flags.String("dir", "", "where to put the certificate")
	unpacking := flags.Bool("unpack", false, "the file is there from the beginning, and objects are written beside it")
	_ = flags.Parse(args)
	var handler http.Handler = s
	if *unpacking {
		handler = unpackSink{s}
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{}
	server.StartTLS()
	ca := filepath.Join(*dir, "sink.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o644); err != nil {
		return err
	}
	_ = json.NewEncoder(os.Stdout).Encode(emulator.Access{Endpoint: server.URL, CAFile: ca, AccessKeyID: "sink", SecretAccessKey: "sink", Region: "us-east-1"})
	return serveUntilStdinCloses(func() error { select {} })
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodPut && q.Has("partNumber"):
		s.part(w, r, q.Get("partNumber"))
	case r.Method == http.MethodPost && q.Has("uploads"):
		s.mu.Lock()
		s.parts, s.meta, s.done = map[string]string{}, r.Header.Clone(), false
		s.mu.Unlock()
		reply(w, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
	case r.Method == http.MethodPost:
		_, _ = io.Copy(io.Discard, r.Body)
		s.mu.Lock()
		s.done, s.sum = true, r.Header.Get("X-Amz-Checksum-Crc64nvme")
		s.mu.Unlock()
		reply(w, "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag><ChecksumCRC64NVME>"+r.Header.Get("X-Amz-Checksum-Crc64nvme")+
			"</ChecksumCRC64NVME><ChecksumCRC32>"+r.Header.Get("X-Amz-Checksum-Crc32")+"</ChecksumCRC32></CompleteMultipartUploadResult>")
	case r.Method == http.MethodDelete:
		s.mu.Lock()
		s.done = s.done && q.Has("uploadId")
		s.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	case q.Has("uploads"):
		reply(w, "<ListMultipartUploadsResult></ListMultipartUploadsResult>")
	case q.Has("uploadId"):
		reply(w, "<ListPartsResult></ListPartsResult>")
	default:
		s.object(w, r)
	}
}

func reply(w http.ResponseWriter, xml string) {
	w.Header().Set("Content-Type", "application/xml")
	_, _ = io.WriteString(w, "<?xml version=\"1.0\"?>\n"+xml)
}

func (s *sink) part(w http.ResponseWriter, r *http.Request, number string) {
	for _, name := range []string{"X-Amz-Checksum-Crc64nvme", "X-Amz-Checksum-Crc32"} {
		if sum := r.Header.Get(name); sum != "" {
			w.Header().Set(name, sum)
		}
	}
	body := bufio.NewReaderSize(r.Body, 256<<10)
	var last [256]byte // long enough for a trailer
	kept := last[:0]
	buf := make([]byte, 256<<10)
	for {
		n, err := body.Read(buf)
		kept = append(kept, buf[max(0, n-len(last)):n]...)
		kept = append(last[:0], kept[max(0, len(kept)-len(last)):]...)
		if err != nil {
			break
		}
	}
	for name, header := range map[string]string{"x-amz-checksum-crc64nvme:": "X-Amz-Checksum-Crc64nvme", "x-amz-checksum-crc32:": "X-Amz-Checksum-Crc32"} {
		if _, after, ok := strings.Cut(string(kept), name); ok {
			value, _, _ := strings.Cut(after, "\r")
			w.Header().Set(header, value)
		}
	}
	w.Header().Set("ETag", `"`+number+`"`)
}

func (s *sink) object(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.done {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	for k, v := range s.meta {
		if strings.HasPrefix(k, "X-Amz-Meta-") {
			w.Header()[k] = v
		}
	}
	w.Header().Set("ETag", `"whole"`)
	if r.Header.Get("Range") == "" { // a checksum is of the whole object; S3 gives none with a range
		w.Header().Set("X-Amz-Checksum-Crc64nvme", s.sum)
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

// unpackSink has the archive from the beginning, and takes the objects that are made of it.
type unpackSink struct{ *sink }

func (s unpackSink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	isArchive := strings.HasSuffix(r.URL.Path, "/"+objectKey)
	switch {
	case isArchive && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		s.serveArchive(w, r)
	case q.Has("list-type"):
		reply(w, "<ListBucketResult></ListBucketResult>")
	case r.Header.Get("X-Amz-Copy-Source") != "":
		s.copyPart(w, r)
	case r.Method == http.MethodPut && !q.Has("partNumber"):
		s.part(w, r, "whole")
	case r.Method == http.MethodHead:
		w.WriteHeader(http.StatusNotFound)
	default:
		s.sink.ServeHTTP(w, r)
	}
}

// copyPart reckons the checksum of what a part gets from the archive.
func (s unpackSink) copyPart(w http.ResponseWriter, r *http.Request) {
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

func (s unpackSink) serveArchive(w http.ResponseWriter, r *http.Request) {
	f, err := os.Open(s.file)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	defer f.Close()
	w.Header().Set("ETag", `"archive"`)
	http.ServeContent(w, r, "archive.zip", time.Time{}, f)
}
