package virtualzip

import (
	"hash/crc32"
	"math/rand/v2"
	"sync"
)

// noiseSize is the period of the noise. It is odd and prime, so that the noise at two offsets which differ by a round
// number (a part's size, say) differs too: bytes that land at the wrong place show.
const noiseSize = 1_000_003

var noise = sync.OnceValue(func() []byte {
	source := rand.NewChaCha8([32]byte([]byte("incompressible, yet always equal")))
	block := make([]byte, noiseSize)
	_, _ = source.Read(block) // never fails
	return block
})

var noiseCRC = sync.OnceValue(func() uint32 { return crc32.ChecksumIEEE(noise()) })

// noiseChecksum gives the CRC32 of n bytes of noise from a phase below noiseSize on.
func noiseChecksum(phase, n int64) uint32 {
	block := noise()
	head := block[phase:min(phase+n, noiseSize)]
	n -= int64(len(head))
	crc := crc32.ChecksumIEEE(head)
	crc = combineCRC(crc, repeatCRC(noiseCRC(), noiseSize, n/noiseSize), n/noiseSize*noiseSize)
	return crc32.Update(crc, crc32.IEEETable, block[:n%noiseSize])
}
