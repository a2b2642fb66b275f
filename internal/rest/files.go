package rest

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/executions"
)

const (
	defaultFiles = 100
	maxFiles     = 200
	// maxFilesText ends a page early, in bytes: Lambda's answer has at most 6 MB, and a file's name may have 64 KiB.
	maxFilesText = 2 << 20
	// maxContentsLine is the longest line of a list of contents in bytes: a name of 64 KiB, each byte escaped.
	maxContentsLine = 512 << 10
)

// Link is a short-lived link, which a browser saves under the file's own name.
type Link struct {
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expiresAt"`
	FileName  string    `json:"fileName"`
}

// fileView is a file of an unpacked archive: a line of its list of contents, and a link to the object.
type fileView struct {
	Name        string `json:"name"` // as in the ZIP
	Key         string `json:"key"`
	Size        int64  `json:"size"` // bytes
	ContentType string `json:"contentType"`
	CRC32       string `json:"crc32,omitempty"` // in hexadecimal
	AssetID     string `json:"assetId,omitempty"`
	Link        *Link  `json:"link,omitempty"` // none for what is not below the archive's prefix
}

type filesView struct {
	Prefix string     `json:"prefix"`
	Files  []fileView `json:"files"`
	nextPage
}

// files serves GET /archives/{id}/files.
func (a *api) files(w http.ResponseWriter, r *http.Request) error {
	values, most, err := listParameters(r, defaultFiles, maxFiles)
	if err != nil {
		return err
	}
	at, err := readFilesCursor(values)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	unpacked, err := a.unpacked(r.Context(), id)
	if err != nil {
		return err
	}
	out, next, err := a.filesFrom(r.Context(), *unpacked, at, most)
	if err != nil {
		return err
	}
	if next != nil {
		out.nextPage = linkNext(w, r, "/archives/"+url.PathEscape(id)+"/files", next.String(), most)
	}
	writeJSON(w, http.StatusOK, "application/json", out)
	return nil
}

// unpacked is where the files of an archive are.
func (a *api) unpacked(ctx context.Context, id string) (*archive.Unpacked, error) {
	m, e, err := a.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	var out archive.Output
	if m == a.Archives && e.Status == executions.Succeeded && json.Unmarshal(e.Output, &out) == nil && out.Unpacked != nil {
		return out.Unpacked, nil
	}
	detail := "the archive was not unpacked; ask for it with \"unpack\": true"
	if e.Status == executions.Running {
		detail = "the archive is not finished; its files are listed when it has succeeded"
	}
	return nil, errNotFound.problem("%s", detail)
}

// filesCursor is a place in a list of contents.
type filesCursor struct {
	etag   string // of the list, which must not have changed
	offset int64  // in bytes
}

func (c filesCursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(c.etag + "\n" + strconv.FormatInt(c.offset, 10)))
}

func readFilesCursor(values map[string]string) (c filesCursor, err error) {
	text, given := values["cursor"]
	if !given {
		return c, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	etag, offset, found := strings.Cut(string(raw), "\n")
	if c.offset, _ = strconv.ParseInt(offset, 10, 64); err != nil || !found || c.offset <= 0 || etag == "" {
		return c, errFilesCursor()
	}
	c.etag = etag
	return c, nil
}

func errFilesCursor() error {
	return badParameter("the cursor is not one of this list's, or the list has changed; begin again without it")
}

// filesFrom reads a page of a list of contents. next is nil at its end.
func (a *api) filesFrom(ctx context.Context, u archive.Unpacked, at filesCursor, most int) (out filesView, next *filesCursor, err error) {
	contents, err := a.Bucket.Get(ctx, u.Contents, bucket.GetOptions{ETag: at.etag, From: at.offset})
	switch {
	case bucket.IsMissing(err):
		return out, nil, errNotFound.problem("the list of the files, %q, has been removed from the bucket", u.Contents)
	case bucket.IsChanged(err), bucket.IsBeyond(err):
		return out, nil, errFilesCursor()
	case err != nil:
		return out, nil, err
	}
	defer contents.Close()
	out = filesView{Prefix: u.Prefix, Files: []fileView{}}
	lines := bufio.NewReaderSize(contents, maxContentsLine)
	text := 0
	for {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			return out, nil, nil
		}
		if err != nil {
			return out, nil, fmt.Errorf("the list of the files breaks off: %w", err)
		}
		if text += len(line); len(out.Files) == most || len(out.Files) > 0 && text > maxFilesText {
			return out, &filesCursor{contents.ETag, at.offset}, nil
		}
		file, err := a.file(ctx, u, line)
		if err != nil {
			return out, nil, err
		}
		out.Files = append(out.Files, file)
		at.offset += int64(len(line))
	}
}

// file reads a line of a list of contents. A link is made of an object below the archive's own prefix alone, whatever
// the list says.
func (a *api) file(ctx context.Context, u archive.Unpacked, line []byte) (f fileView, err error) {
	if json.Unmarshal(line, &f) != nil || f.Key == "" {
		return f, errFilesCursor() // it points into a line
	}
	f.Link = nil // whatever the line says
	if !strings.HasPrefix(f.Key, u.Prefix) || u.Prefix == "" {
		return f, nil
	}
	f.Link, err = a.link(ctx, f.Key, path.Base(f.Name), servedType(f.ContentType))
	return f, err
}

// link makes a link to an object, which S3 answers with that type; "" is the object's own. Signing asks nobody: the link
// also stands when the object has been removed since.
func (a *api) link(ctx context.Context, key, name, contentType string) (*Link, error) {
	signed, expires, err := a.Bucket.Presign(ctx, key, a.LinkLifetime, bucket.PresignOptions{
		ContentDisposition: disposition(name), ContentType: contentType,
	})
	if err != nil {
		return nil, err
	}
	return &Link{URL: signed, ExpiresAt: expires.UTC().Truncate(time.Second), FileName: name}, nil
}

// servedType is the type that a link has S3 answer. Pictures, videos and sounds keep theirs, so that a page can show
// them; all else is bytes. Together with the disposition "attachment", nothing of an archive ever runs as a page of the
// bucket's origin.
func servedType(contentType string) string {
	kind, _, _ := strings.Cut(contentType, "/")
	if (kind == "image" || kind == "video" || kind == "audio") && !strings.ContainsAny(contentType, "\r\n\x00;, ") {
		return contentType
	}
	return "application/octet-stream"
}

// disposition is "attachment" with a file name (RFC 6266): in ASCII for old clients, and in UTF-8 when it is another.
func disposition(name string) string {
	ascii := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || strings.ContainsRune(`"\%/;`, c) {
			return '_'
		}
		return c
	}, name)
	text := mime.FormatMediaType("attachment", map[string]string{"filename": ascii})
	if ascii != name {
		text += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	return text
}
