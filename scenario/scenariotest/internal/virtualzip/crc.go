package virtualzip

import "hash/crc32"

// CRC32 combination as zlib does it: the checksum of two blocks one after the other is had from theirs by arithmetic
// of polynomials over GF(2), so that a block that is repeated a million times is read once.

// one is the polynomial 1; a CRC's bits are reversed, so that it is the highest one.
const one = uint32(1) << 31

// powers[n] is x^(2^n) modulo the CRC32 polynomial.
var powers = func() (table [32]uint32) {
	table[0] = one >> 1
	for n := 1; n < len(table); n++ {
		table[n] = multiply(table[n-1], table[n-1])
	}
	return table
}()

// multiply gives a·b modulo the CRC32 polynomial.
func multiply(a, b uint32) (product uint32) {
	for bit := one; bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		carry := b & 1
		b >>= 1
		if carry != 0 {
			b ^= crc32.IEEE
		}
	}
	return product
}

// combineCRC gives the checksum of A followed by B from theirs and B's length.
func combineCRC(a, b uint32, lengthB int64) uint32 {
	const bitsPerByte = 3 // x^(8n) = x^(n·2^3)
	shift := one
	for power := bitsPerByte; lengthB != 0; power++ {
		if lengthB&1 != 0 {
			shift = multiply(powers[power%len(powers)], shift)
		}
		lengthB >>= 1
	}
	return multiply(shift, a) ^ b
}

// repeatCRC gives the checksum of a block n times over.
func repeatCRC(block uint32, length, n int64) uint32 {
	var crc uint32 // of nothing
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			crc = combineCRC(crc, block, length)
		}
		block = combineCRC(block, block, length)
		length *= 2
	}
	return crc
}
