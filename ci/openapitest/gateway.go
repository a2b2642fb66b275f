package main

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/scenario-archive/scenario-archive/internal/emulator/apigateway"
	"github.com/scenario-archive/scenario-archive/internal/httpapi"
)

// gateway is API Gateway before the function's own handler.
func gateway(api http.Handler) http.Handler {
	handle := httpapi.Handler(api)
	return apigateway.New(apigateway.Options{Invoke: func(ctx context.Context, event []byte) ([]byte, string, error) {
		answer, err := handle(ctx, event)
		if err != nil {
			return nil, "", err
		}
		result, err := json.Marshal(answer)
		return result, "", err
	}})
}

// authorised is the gateway's authoriser. It refuses before the API sees the request.
func authorised(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.Header().Set("WWW-Authenticate", "Bearer")
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"message":"Unauthorized"}`)) // the caller may have gone
			return
		}
		next.ServeHTTP(w, r)
	})
}
