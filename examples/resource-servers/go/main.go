// An API that takes AgentIdP's tokens, with go-oidc: `ISSUER=… AUDIENCE=… PORT=8000 go run .`.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

type claims struct {
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
}

func main() {
	// Found once (RFC 8414). go-oidc asks for the keys again when a token names an unknown one.
	provider, err := oidc.NewProvider(context.Background(), os.Getenv("ISSUER"))
	if err != nil {
		log.Fatal(err)
	}
	verifier := provider.Verifier(&oidc.Config{
		ClientID:             os.Getenv("AUDIENCE"), // which `aud` it wants
		SupportedSigningAlgs: []string{oidc.ES256, oidc.RS256},
	})
	http.Handle("GET /resumes", resumes(verifier))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

func resumes(verifier *oidc.IDTokenVerifier) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		token, sent := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer ")
		if !sent {
			refuse(response, http.StatusUnauthorized, "")
			return
		}
		caller, err := verified(request.Context(), verifier, token)
		if err != nil {
			refuse(response, http.StatusUnauthorized, "invalid_token")
			return
		}
		if !slices.Contains(strings.Fields(caller.Scope), "resumes:read") {
			refuse(response, http.StatusForbidden, "insufficient_scope")
			return
		}
		response.Header().Set("Content-Type", "application/json")
		json.NewEncoder(response).Encode(map[string]any{"agent": caller.ClientID, "resumes": []string{}})
	}
}

// What the token says, once it is known to be good and for us (RFC 9068, section 4).
func verified(ctx context.Context, verifier *oidc.IDTokenVerifier, token string) (caller claims, _ error) {
	good, err := verifier.Verify(ctx, token)
	if err != nil {
		return caller, err
	}
	if kind := kindOf(token); !strings.EqualFold(kind, "at+jwt") {
		return caller, fmt.Errorf("a token of type %q is no access token", kind)
	}
	return caller, good.Claims(&caller)
}

// The `typ` of its header, which go-oidc does not look at.
func kindOf(token string) string {
	var header struct {
		Type string `json:"typ"`
	}
	encoded, _, _ := strings.Cut(token, ".")
	if decoded, err := base64.RawURLEncoding.DecodeString(encoded); err != nil || json.Unmarshal(decoded, &header) != nil {
		return ""
	}
	return header.Type
}

// As RFC 6750, section 3, has it; a request without a token is told nothing but the scheme.
func refuse(response http.ResponseWriter, status int, reason string) {
	challenge := "Bearer"
	if reason != "" {
		challenge = fmt.Sprintf("Bearer error=%q", reason)
	}
	response.Header().Set("WWW-Authenticate", challenge)
	response.WriteHeader(status)
}
