package rest

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

var rankOfRange = map[string]int{"*/*": 0, "application/*": 1, "application/json": 2}

// acceptsJSON reads Accept (RFC 9110, 12.5.1): the most specific range that fits application/json decides. What is no
// media range is passed over; an Accept without any is like none.
func acceptsJSON(accept []string) bool {
	best, accepted, ranges := -1, true, 0
	for _, item := range strings.Split(strings.Join(accept, ","), ",") {
		media, parameters, err := mime.ParseMediaType(item)
		if err != nil {
			continue
		}
		ranges++
		if rank, fits := rankOfRange[media]; fits && rank >= best {
			best, accepted = rank, weight(parameters["q"]) > 0
		}
	}
	return ranges == 0 || best >= 0 && accepted
}

func weight(q string) float64 {
	w, err := strconv.ParseFloat(q, 64)
	if err != nil {
		return 1
	}
	return w
}

// checkMediaType wants application/json, in UTF-8, not compressed.
func checkMediaType(h http.Header) error {
	media, parameters, err := mime.ParseMediaType(h.Get("Content-Type"))
	charset := strings.ToLower(parameters["charset"])
	if err != nil || media != "application/json" || charset != "" && charset != "utf-8" {
		return newProblem(http.StatusUnsupportedMediaType, errMediaType, "send the request as Content-Type: application/json, "+
			"in UTF-8").with("Accept", "application/json")
	}
	if e := h.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return newProblem(http.StatusUnsupportedMediaType, errMediaType, "the body is compressed; send it as it is").
			with("Accept-Encoding", "identity")
	}
	return nil
}
