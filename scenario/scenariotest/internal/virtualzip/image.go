package virtualzip

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
)

const (
	chunkOverhead = 12 // length, type and checksum
	// maxChunk is the most data in one chunk of padding; PNG allows 2^31-1.
	maxChunk = 1 << 30
	// paddingType is a chunk type of nobody's: ancillary (lower case), private (lower), reserved (upper), safe to copy.
	paddingType = "teSt"
)

// Side is each image's width and height, in pixels.
const Side = 64

// Image makes a PNG file, all of whose bytes follow from the seed and the size. The size is in bytes, reached by a padding
// chunk of noise; the file is larger where the picture alone needs more than size-12.
func Image(seed string, size int64) (*Content, error) {
	picture, err := draw(seed)
	if err != nil {
		return nil, err
	}
	end := len(picture) - chunkOverhead // the IEND chunk, which holds no data
	c := &Content{}
	c.addLiteral(picture[:end])
	phase := int64(hash(seed+" padding") % noiseSize)
	for padding := size - int64(len(picture)); padding >= chunkOverhead; {
		length := chunkLength(padding, maxChunk)
		c.addPadding(phase, length)
		padding -= length + chunkOverhead
	}
	c.addLiteral(picture[end:])
	return c, nil
}

// chunkLength is how much data the next chunk takes, so that what remains is nothing or another chunk.
func chunkLength(padding, limit int64) int64 {
	if padding <= limit+chunkOverhead {
		return padding - chunkOverhead
	}
	if rest := padding - limit - chunkOverhead; rest < chunkOverhead {
		return limit - chunkOverhead
	}
	return limit
}

func (c *Content) addPadding(phase, length int64) {
	head := binary.BigEndian.AppendUint32(nil, uint32(length))
	head = append(head, paddingType...)
	c.addLiteral(head)
	noiseCRC := c.addNoise(phase, length)
	crc := combineCRC(crc32.ChecksumIEEE([]byte(paddingType)), noiseCRC, length)
	c.addLiteral(binary.BigEndian.AppendUint32(nil, crc))
}

// draw makes a gradient between two colours with some discs, all by the seed.
func draw(seed string) ([]byte, error) {
	random := rand.New(rand.NewPCG(hash(seed), 1))
	from, to := randomColour(random), randomColour(random)
	picture := image.NewNRGBA(image.Rect(0, 0, Side, Side))
	for y := range Side {
		for x := range Side {
			picture.SetNRGBA(x, y, blend(from, to, x+y, 2*Side))
		}
	}
	for range 4 {
		drawDisc(picture, random)
	}
	var out bytes.Buffer
	err := png.Encode(&out, picture)
	return out.Bytes(), err
}

func drawDisc(picture *image.NRGBA, random *rand.Rand) {
	centreX, centreY := random.IntN(Side), random.IntN(Side)
	radius := 1 + random.IntN(1+Side/3)
	colour := randomColour(random)
	for y := max(0, centreY-radius); y < min(Side, centreY+radius); y++ {
		for x := max(0, centreX-radius); x < min(Side, centreX+radius); x++ {
			if dx, dy := x-centreX, y-centreY; dx*dx+dy*dy < radius*radius {
				picture.SetNRGBA(x, y, colour)
			}
		}
	}
}

func randomColour(random *rand.Rand) color.NRGBA {
	bits := random.Uint32()
	return color.NRGBA{R: uint8(bits), G: uint8(bits >> 8), B: uint8(bits >> 16), A: 255}
}

func blend(from, to color.NRGBA, part, whole int) color.NRGBA {
	mix := func(a, b uint8) uint8 { return uint8((int(a)*(whole-part) + int(b)*part) / whole) }
	return color.NRGBA{R: mix(from.R, to.R), G: mix(from.G, to.G), B: mix(from.B, to.B), A: 255}
}

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails
	return h.Sum64()
}
