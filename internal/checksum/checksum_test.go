package checksum

import (
	"hash/crc32"
	"hash/crc64"
	"math/rand/v2"
	"testing"

	"github.com/minio/crc64nvme"
)

func TestCombine(t *testing.T) {
	t.Parallel()
	data := make([]byte, 24<<10+17)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	for _, n := range []int{0, 1, 7, 8, 9, 127, 128, 129, 8191, 8192, 8193, len(data)} {
		second := int64(len(data) - n)
		if got, want := Combine(NVME, crc64nvme.Checksum(data[:n]), crc64nvme.Checksum(data[n:]), second), crc64.Checksum(data, crc64.MakeTable(NVME)); got != want {
			t.Errorf("CRC64NVME at %d: %x; want %x", n, got, want)
		}
		if got, want := Combine(IEEE, crc32.ChecksumIEEE(data[:n]), crc32.ChecksumIEEE(data[n:]), second), crc32.ChecksumIEEE(data); got != want {
			t.Errorf("CRC-32 at %d: %x; want %x", n, got, want)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	if got := Text(uint64(1)); got != "AAAAAAAAAAE=" {
		t.Errorf("got %s", got)
	}
	if got, ok := Parse[uint64](Text(uint64(0xae8b14860a799888))); !ok || got != 0xae8b14860a799888 {
		t.Errorf("got %x, %v", got, ok)
	}
	if got, ok := Parse[uint32](Text(uint32(0xcbf43926))); !ok || got != 0xcbf43926 {
		t.Errorf("got %x, %v", got, ok)
	}
	for _, bad := range []string{"", "AAAA", "!", "AAAAAAAAAAAA", "AAAAAAAAAAE="} {
		if _, ok := Parse[uint32](bad); ok {
			t.Errorf("%q is taken for a CRC-32", bad)
		}
	}
}
