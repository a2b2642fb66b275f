package virtualzip

import (
	"bytes"
	"encoding/binary"
	"fmt"
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

// ImageSpec describes an image.
type ImageSpec struct {
	// Seed determines all of the image's bytes, with the numbers below.
	Seed string
	// Width and Height are in pixels.
	Width, Height int
	// Size is the file's size in bytes, reached by a padding chunk of noise; the file is larger where the picture alone
	// needs more than Size-12. 0: as large as the picture needs.
	Size int64
}

// Image makes a PNG file.
func Image(spec ImageSpec) (*Content, error) {
	picture, err := encode(spec)
	if err != nil {
		return nil, err
	}
	end := len(picture) - chunkOverhead // the IEND chunk, which holds no data
	c := &Content{}
	c.addLiteral(picture[:end])
	phase := int64(hash(spec.Seed+" padding") % noiseSize)
	for padding := spec.Size - int64(len(picture)); padding >= chunkOverhead; {
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

// encode draws a gradient between two colours with some discs, all by the seed.
func encode(spec ImageSpec) ([]byte, error) {
	if spec.Width < 1 || spec.Height < 1 {
		return nil, fmt.Errorf("virtualzip: an image of %d x %d pixels", spec.Width, spec.Height)
	}
	random := rand.New(rand.NewPCG(hash(spec.Seed), 1))
	from, to := randomColour(random), randomColour(random)
	picture := image.NewNRGBA(image.Rect(0, 0, spec.Width, spec.Height))
	for y := range spec.Height {
		for x := range spec.Width {
			picture.SetNRGBA(x, y, blend(from, to, x+y, spec.Width+spec.Height))
		}
	}
	for range 4 {
		drawDisc(picture, random)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("virtualzip: drawing %d x %d pixels: %w", spec.Width, spec.Height, err)
	}
	return out.Bytes(), nil
}

func drawDisc(picture *image.NRGBA, random *rand.Rand) {
	width, height := picture.Rect.Dx(), picture.Rect.Dy()
	centreX, centreY := random.IntN(width), random.IntN(height)
	radius := 1 + random.IntN(1+min(width, height)/3)
	colour := randomColour(random)
	for y := max(0, centreY-radius); y < min(height, centreY+radius); y++ {
		for x := max(0, centreX-radius); x < min(width, centreX+radius); x++ {
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
