package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// seen is what the handler gets, as one line.
func seen(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	info := FromContext(r.Context())
	_, _ = fmt.Fprintf(w, "%s %s path=%s query=%s prefix=%s id=%s host=%s from=%s a=%q cookie=%q length=%d body=%s", r.Method,
		r.URL.EscapedPath(), r.URL.Path, r.URL.RawQuery, info.Prefix, info.RequestID, r.Host, r.RemoteAddr,
		r.Header.Values("X-A"), r.Header.Get("Cookie"), r.ContentLength, body)
}

func invoke(t *testing.T, h http.HandlerFunc, event string) map[string]any {
	t.Helper()
	out, err := Handler(h)(t.Context(), json.RawMessage(event))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]any
	if err := json.Unmarshal(raw, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func v2(method, path, stage, more string) string {
	return fmt.Sprintf(`{"version":"2.0","rawPath":%q,"requestContext":{"requestId":"r=1","stage":%q,"domainName":"h.example",`+
		`"http":{"method":%q,"path":%q,"sourceIp":"192.0.2.1"}}%s}`, path, stage, method, path, more)
}

func TestRequests(t *testing.T) {
	t.Parallel()
	const tail = "host=h.example from=192.0.2.1 "
	for _, c := range []struct{ name, event, want string }{
		{"no body", v2("GET", "/archives/x", "$default", `,"rawQueryString":"a=1&a=2","headers":{"x-a":"1,2"},"cookies":["a=b","c=d"]`),
			`GET /archives/x path=/archives/x query=a=1&a=2 prefix= id=r=1 ` + tail + `a=["1,2"] cookie="a=b; c=d" length=0 body=`},
		{"with a body", v2("POST", "/a", "$default", `,"body":"{\"é\":1}"`),
			`POST /a path=/a query= prefix= id=r=1 ` + tail + `a=[] cookie="" length=8 body={"é":1}`},
		{"with a body in base64", v2("POST", "/a", "$default", `,"isBase64Encoded":true,"body":"AP/+"`),
			"POST /a path=/a query= prefix= id=r=1 " + tail + "a=[] cookie=\"\" length=3 body=\x00\xff\xfe"},
		{"with a stage", v2("GET", "/prod/archives", "prod", ""), `GET /archives path=/archives query= prefix=/prod id=r=1 `},
		{"a stage alone", v2("GET", "/prod", "prod", ""), `GET / path=/ query= prefix=/prod id=r=1 `},
		{"a path that begins like the stage", v2("GET", "/production", "prod", ""), `GET /production path=/production query= prefix= id=`},
		{"encoded", v2("GET", "/archives/a%2Fb%20c", "$default", ""), `GET /archives/a%2Fb%20c path=/archives/a/b c query=`},
		{"decoded by the gateway", v2("GET", "/archives/a b", "$default", ""), `GET /archives/a%20b path=/archives/a b query=`},
		{"decoded to a lone percent", v2("GET", "/archives/100%", "$default", ""), `GET /archives/100%25 path=/archives/100% query=`},
		{"climbing", v2("GET", "/archives/../x", "$default", ""), `GET /archives/../x path=/archives/../x query=`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			answer := invoke(t, seen, c.event)
			body := answer["body"].(string)
			if answer["isBase64Encoded"] == true {
				raw, err := base64.StdEncoding.DecodeString(body)
				if err != nil {
					t.Fatal(err)
				}
				body = string(raw)
			}
			if answer["statusCode"] != 200.0 || !strings.HasPrefix(body, c.want) {
				t.Errorf("got  %v\nwant %s", answer, c.want)
			}
		})
	}
}

func many(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Set-Cookie"] = []string{"a=1, 2", "b=2"}
	w.Header()["Vary"] = []string{"Accept", "Origin"}
	w.WriteHeader(http.StatusEarlyHints)
	w.WriteHeader(http.StatusTeapot)
	w.WriteHeader(http.StatusOK)
	w.Header().Set("Late", "yes")
	_, _ = io.WriteString(w, "é")
	_, _ = io.WriteString(w, "!")
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	answer := invoke(t, many, v2("GET", "/", "$default", ""))
	if answer["statusCode"] != 418.0 || answer["body"] != "é!" || answer["isBase64Encoded"] != nil {
		t.Errorf("got %v", answer)
	}
	if got := fmt.Sprint(answer["headers"], answer["cookies"]); got != "map[Vary:Accept, Origin] [a=1, 2 b=2]" {
		t.Errorf("got %s", got)
	}
}

func TestAnswersWithoutText(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"not UTF-8": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0xff}) },
		"compressed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "x")
			_, _ = w.Write([]byte("a"))
		},
	} {
		if a := invoke(t, h, v2("GET", "/", "", "")); a["isBase64Encoded"] != true || a["body"] != "/w==" && a["body"] != "YQ==" {
			t.Errorf("%s: got %v", name, a)
		}
	}
	silent := func(http.ResponseWriter, *http.Request) {}
	if a := invoke(t, silent, v2("GET", "/", "", "")); a["statusCode"] != 200.0 || a["body"] != "" {
		t.Errorf("silent: got %v", a)
	}
	if a := invoke(t, seen, v2("HEAD", "/", "", "")); a["statusCode"] != 200.0 || a["body"] != "" {
		t.Errorf("HEAD: got %v", a)
	}
}

func TestBodyThatIsNotBase64(t *testing.T) {
	t.Parallel()
	if a := invoke(t, seen, v2("POST", "/", "", `,"isBase64Encoded":true,"body":"*"`)); a["statusCode"] != 400.0 {
		t.Errorf("got %v", a)
	}
}

func TestOtherEvents(t *testing.T) {
	t.Parallel()
	for _, event := range []string{`{}`, `null`, `[]`, `"x"`, `{"version":"3.0"}`, `{"version":2}`,
		`{"version":"2.0","headers":[]}`, `{"httpMethod":"GET","path":"/"}`, `{"Records":[]}`} {
		if out, err := Handler(http.HandlerFunc(seen))(t.Context(), json.RawMessage(event)); err == nil {
			t.Errorf("%s: got %v", event, out)
		}
	}
}

func FuzzEvents(f *testing.F) {
	f.Add([]byte(v2("GET", "/prod/%zz", "prod", `,"rawQueryString":"%zz"`)))
	f.Fuzz(func(t *testing.T, event []byte) {
		out, err := Handler(http.HandlerFunc(seen))(t.Context(), event)
		if err != nil {
			return
		}
		if _, err := json.Marshal(out); err != nil {
			t.Fatal(err)
		}
	})
}
