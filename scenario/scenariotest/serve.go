package scenariotest

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"
)

// serveArchive answers as a CDN before an object store does.
func (h *Handler) serveArchive(w http.ResponseWriter, r *http.Request) {
	body := &archiveWriter{ResponseWriter: w, h: h, r: r}
	defer func() { h.signer.use(r.URL.Query().Get("Issue"), body.sent) }() // also when the connection is cut
	fault, atOffset := h.faults.take(OpArchive)
	h.pause(r, fault.Latency)
	if fault.Drop != "" {
		panic(http.ErrAbortHandler)
	}
	if status, code, message := h.refusal(r, fault); status != 0 {
		if fault.RetryAfter != "" {
			w.Header().Set("Retry-After", fault.RetryAfter)
		}
		writeXMLError(body, status, code, message)
		return
	}
	body.bandwidth, body.atOffset = fault.Bandwidth, atOffset
	h.sendArchive(body, r, fault)
}

func (h *Handler) refusal(r *http.Request, fault Fault) (status int, code, message string) {
	if fault.Status != 0 {
		return fault.Status, "InternalError", "The stand-in is set to answer so"
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource"
	}
	if problem := h.signer.problem(r.URL, h.options.Now(), fault.ForbidAfter); problem != "" {
		return http.StatusForbidden, "AccessDenied", problem
	}
	return 0, "", ""
}

func writeXMLError(w http.ResponseWriter, status int, code, message string) {
	body, _ := xml.Marshal(struct { // strings only: cannot fail
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
	}{Code: code, Message: message})
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = w.Write(append([]byte(xml.Header), body...)) // a client that has gone is no concern of the stand-in's
}

func (h *Handler) sendArchive(w *archiveWriter, r *http.Request, fault Fault) {
	j := h.jobs.find(r.PathValue("id")) // there is one: the URL is signed
	archive, err := h.archives.get(j, fault.Change, h.options)
	if err != nil {
		writeXMLError(w, http.StatusInternalServerError, "InternalError", err.Error())
		return
	}
	lastModified := j.ends()
	if fault.Change {
		lastModified = lastModified.Add(2 * time.Second) // the header has whole seconds
	}
	size := archive.Size()
	switch {
	case fault.Size > 0:
		size = min(size, fault.Size)
	case j.Corrupt:
		size /= 2
	}
	w.content = archive.Content
	w.Header().Set("ETag", archive.ETag)
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", path.Base(r.URL.Path)))
	r = r.Clone(r.Context())
	if fault.IgnoreRange || strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range") // object stores answer several ranges with the whole too
	}
	http.ServeContent(w, r, "", lastModified, io.NewSectionReader(archive, 0, size))
}
