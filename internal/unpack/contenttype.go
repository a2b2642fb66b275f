package unpack

import (
	"bytes"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
)

// contentTypes are the types of what Scenario makes, by extension.
var contentTypes = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".avif": "image/avif",
	".gif": "image/gif", ".svg": "image/svg+xml", ".tif": "image/tiff", ".tiff": "image/tiff", ".exr": "image/x-exr",
	".hdr": "image/vnd.radiance", ".bmp": "image/bmp", ".psd": "image/vnd.adobe.photoshop", ".ktx2": "image/ktx2",
	".mp4": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime", ".mp3": "audio/mpeg", ".wav": "audio/wav",
	".ogg": "audio/ogg", ".flac": "audio/flac", ".m4a": "audio/mp4",
	".glb": "model/gltf-binary", ".gltf": "model/gltf+json", ".fbx": "application/octet-stream", ".obj": "model/obj",
	".mtl": "model/mtl", ".ply": "application/octet-stream", ".stl": "model/stl", ".usdz": "model/vnd.usdz+zip",
	".json": "application/json", ".jsonl": "application/x-ndjson", ".txt": "text/plain; charset=utf-8",
	".csv": "text/csv; charset=utf-8", ".md": "text/markdown; charset=utf-8", ".zip": "application/zip",
	".safetensors": "application/octet-stream", ".pdf": "application/pdf",
}

// typeByName is the content type by the key's extension; "" where that says nothing.
func typeByName(key string) string { return contentTypes[strings.ToLower(path.Ext(path.Base(key)))] }

// magics are beginnings of files that http.DetectContentType does not know.
var magics = []struct{ begin, contentType string }{
	{"glTF", "model/gltf-binary"}, {"\x76\x2f\x31\x01", "image/x-exr"}, {"#?RADIANCE", "image/vnd.radiance"},
	{"#?RGBE", "image/vnd.radiance"}, {"II*\x00", "image/tiff"}, {"MM\x00*", "image/tiff"},
	{"Kaydara FBX Binary", "application/octet-stream"}, {"8BPS", "image/vnd.adobe.photoshop"}, {"fLaC", "audio/flac"},
	{"ply\n", "application/octet-stream"}, {"ply\r\n", "application/octet-stream"},
}

// sniffed is how much of a content typeByContent looks at.
const sniffed = 512

// typeByContent is the content type by the first bytes. What looks like a page is text: no browser shall run it.
func typeByContent(b []byte) string {
	for _, m := range magics {
		if bytes.HasPrefix(b, []byte(m.begin)) {
			return m.contentType
		}
	}
	if len(b) >= 12 && string(b[4:8]) == "ftyp" {
		switch brand := string(b[8:12]); {
		case brand == "avif" || brand == "avis":
			return "image/avif"
		case brand == "qt  ":
			return "video/quicktime"
		case strings.HasPrefix(brand, "M4A"):
			return "audio/mp4"
		}
	}
	t := http.DetectContentType(b[:min(len(b), sniffed)])
	switch {
	case strings.HasPrefix(t, "text/"):
		return "text/plain; charset=utf-8"
	case t == "audio/wave":
		return "audio/wav"
	}
	return t
}

// disposition lets a browser show the object and save it under its name (RFC 6266).
func disposition(key string) string {
	return mime.FormatMediaType("inline", map[string]string{"filename": path.Base(key)})
}

// typeTable is the content types that names did not say, by entry: one byte each, once there is one.
type typeTable struct {
	mu    sync.Mutex
	codes []byte
	known []string
}

func (t *typeTable) set(index, entries int64, contentType string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.codes == nil {
		t.codes = make([]byte, entries)
	}
	code := slices.Index(t.known, contentType)
	if code < 0 && len(t.known) < 255 {
		code = len(t.known)
		t.known = append(t.known, contentType)
	}
	t.codes[index] = byte(code + 1)
}

func (t *typeTable) get(index int64) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.codes == nil || t.codes[index] == 0 {
		return "application/octet-stream"
	}
	return t.known[t.codes[index]-1]
}
