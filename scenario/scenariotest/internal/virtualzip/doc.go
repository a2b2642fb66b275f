// Package virtualzip makes ZIP files of PNG images that exist only as a description: any range of an archive of many GB
// is computed when it is read, and its size and checksums are known without reading it.
package virtualzip
