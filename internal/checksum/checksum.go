// Package checksum has what the CRCs of S3 need beside their computation: joined from those of two pieces, and as S3's headers
// have them.
package checksum

import (
	"encoding/base64"
	"encoding/binary"
	"math/bits"
)

// The polynomials, reflected: of ZIP's and S3's CRC-32 (ISO/IEC 8802-3), and of S3's CRC64NVME (NVM Express NVM Command Set
// Specification 1.0, section 5.2.1.3.4).
const (
	IEEE uint32 = 0xedb88320
	NVME uint64 = 0x9a6c9329ac4bc9b5
)

// Combine is the CRC of a then b, from theirs and b's length in bytes.
func Combine[T uint32 | uint64](polynomial, a, b T, lengthOfB int64) T {
	if lengthOfB == 0 {
		return a
	}
	// What lengthOfB bytes do to a register: multiply it by x to the power of 8*lengthOfB.
	highest := ^(^T(0) >> 1)
	power, square := highest, highest>>8 // x^0: the highest bit is the lowest power; x^8
	for n := lengthOfB; n > 0; n >>= 1 {
		if n&1 == 1 {
			power = multiply(polynomial, square, power)
		}
		square = multiply(polynomial, square, square)
	}
	return multiply(polynomial, power, a) ^ b
}

// multiply multiplies two polynomials over GF(2), modulo the CRC's.
func multiply[T uint32 | uint64](polynomial, a, b T) (product T) {
	for ; a != 0; a <<= 1 {
		product ^= b & -(a >> (width(a) - 1))
		b = b>>1 ^ polynomial&-(b&1)
	}
	return product
}

func width[T uint32 | uint64](T) int { return bits.Len64(uint64(^T(0))) }

// Text is the form that S3's headers and answers have.
func Text[T uint32 | uint64](sum T) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(sum))
	return base64.StdEncoding.EncodeToString(b[len(b)-width(sum)/8:])
}

// Parse reads what Text makes.
func Parse[T uint32 | uint64](text string) (sum T, ok bool) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) != width(sum)/8 {
		return 0, false
	}
	for _, c := range b {
		sum = sum<<8 | T(c)
	}
	return sum, true
}
