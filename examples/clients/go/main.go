// An agent with golang.org/x/oauth2: it gets a token, uses it, looks at it and gives it back. `go run . API_URL`.
// All that it needs is in its Secret, mounted as a folder: AGENT_SECRET says where.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2/clientcredentials"
)

// What the metadata says beyond what go-oidc reads itself (RFC 8414).
type endpoints struct {
	Introspection string `json:"introspection_endpoint"`
	Revocation    string `json:"revocation_endpoint"`
}

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, apiURL string) error {
	config, others, err := discover(ctx)
	if err != nil {
		return err
	}
	token, err := config.Token(ctx)
	if err != nil {
		return err
	}
	// A client that adds the token, and gets the next one when it expires.
	answer, err := decoded[any](config.Client(ctx).Get(apiURL))
	if err != nil {
		return err
	}
	active, err := giveBack(config, others, token.AccessToken)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"scope": token.Extra("scope"), "answer": answer, "active": active})
}

func discover(ctx context.Context) (*clientcredentials.Config, endpoints, error) {
	issuer, id, key, err := secret()
	if err != nil {
		return nil, endpoints{}, err
	}
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, endpoints{}, err
	}
	var others endpoints
	if err := provider.Claims(&others); err != nil {
		return nil, endpoints{}, err
	}
	return &clientcredentials.Config{
		ClientID:       id,
		ClientSecret:   key,
		TokenURL:       provider.Endpoint().TokenURL,
		Scopes:         []string{"resumes:read"},
		EndpointParams: url.Values{"resource": {"https://resumes.example"}},
	}, others, nil
}

// Read when it is needed, not once at the start: after a rotation the files have the new values.
func secret() (issuer, id, key string, err error) {
	folder := cmp.Or(os.Getenv("AGENT_SECRET"), "/var/run/secrets/agent")
	for name, value := range map[string]*string{"issuer": &issuer, "client_id": &id, "client_secret": &key} {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return "", "", "", err
		}
		*value = string(content)
	}
	return issuer, id, key, nil
}

// Whether the token is active (RFC 7662) before and after it is revoked (RFC 7009).
func giveBack(config *clientcredentials.Config, others endpoints, token string) ([]bool, error) {
	type state struct {
		Active bool `json:"active"`
	}
	before, err := decoded[state](post(config, others.Introspection, token))
	if err != nil {
		return nil, err
	}
	revoked, err := post(config, others.Revocation, token)
	if err != nil {
		return nil, err
	}
	revoked.Body.Close()
	after, err := decoded[state](post(config, others.Introspection, token))
	return []bool{before.Active, after.Active}, err
}

func post(config *clientcredentials.Config, endpoint, token string) (*http.Response, error) {
	request, err := http.NewRequest(http.MethodPost, endpoint, strings.NewReader(url.Values{"token": {token}}.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(config.ClientID), url.QueryEscape(config.ClientSecret))
	return http.DefaultClient.Do(request)
}

func decoded[T any](response *http.Response, err error) (value T, _ error) {
	if err != nil {
		return value, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return value, fmt.Errorf("%s answered %s", response.Request.URL, response.Status)
	}
	return value, json.NewDecoder(response.Body).Decode(&value)
}
