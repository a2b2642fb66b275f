package transfer

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const protocolVariable = "TRANSFER_TEST_S3_PROTOCOL"

// callS3 makes one call with a client that is made as the function makes its own.
func callS3(endpoint string) int {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		fmt.Println(err)
		return 2
	}
	client := s3.NewFromConfig(cfg, TuneStorage(2), func(o *s3.Options) { o.UsePathStyle, o.BaseEndpoint = true, &endpoint })
	if _, err := client.AbortMultipartUpload(context.Background(), &s3.AbortMultipartUploadInput{
		Bucket: aws.String("b"), Key: aws.String("k"), UploadId: aws.String("u"),
	}); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// A server that speaks HTTP/2 as well is spoken to in the protocol that was agreed on, whatever the SDK's settings are.
// Each case is a process of its own: system roots are read once in a process.
func TestStorageProtocolIsTheOneAgreedOn(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 || r.TLS.NegotiatedProtocol == "h2" {
			w.WriteHeader(http.StatusHTTPVersionNotSupported)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(bundle, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string][]string{
		"system roots":                   {"SSL_CERT_FILE=" + bundle},
		"a bundle":                       {"AWS_CA_BUNDLE=" + bundle},
		"system roots and defaults mode": {"SSL_CERT_FILE=" + bundle, "AWS_DEFAULTS_MODE=in-region"},
		"a bundle and defaults mode":     {"AWS_CA_BUNDLE=" + bundle, "AWS_DEFAULTS_MODE=in-region"},
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(set, protocolVariable+"="+server.URL, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=a",
			"AWS_SECRET_ACCESS_KEY=b", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
			"AWS_MAX_ATTEMPTS=1", "HOME="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}
