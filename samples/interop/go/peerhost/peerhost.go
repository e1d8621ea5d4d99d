// Package peerhost makes the libp2p hosts of the commands in this module.
package peerhost

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

// streamsPerPeer is how many streams one peer may have open, of our protocol too: go-libp2p's own
// limit, about 64 of one protocol, is below what the scenarios and the benchmark use.
const streamsPerPeer = 512

// New returns a host that speaks TCP, the one security protocol ("noise" or "tls"), and yamux, with a
// new identity of the kind of key ("ed25519", "secp256k1", "ecdsa" or "rsa"). An empty address makes
// one that only dials.
func New(security, key, address string) (host.Host, error) {
	identity, err := Identity("", key)
	if err != nil {
		return nil, err
	}
	return NewWith(identity, security, address)
}

// NewWith is New with an identity that there is.
func NewWith(identity crypto.PrivKey, security, address string) (host.Host, error) {
	secure, err := securityOption(security)
	if err != nil {
		return nil, err
	}
	resources, err := resourceManager()
	if err != nil {
		return nil, err
	}
	listen := libp2p.NoListenAddrs
	if address != "" {
		listen = libp2p.ListenAddrStrings(address)
	}
	return libp2p.New(
		libp2p.Identity(identity),
		listen,
		libp2p.Transport(tcp.NewTCPTransport),
		secure,
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ResourceManager(resources),
		libp2p.DisableRelay(),
	)
}

// Identity returns the identity that the file keeps; if there is no such file, it makes a new one of
// the kind of key and keeps it there. With no name of a file it makes a new one each time.
func Identity(file, kind string) (crypto.PrivKey, error) {
	if file == "" {
		return newKey(kind)
	}
	kept, err := os.ReadFile(file)
	if err == nil {
		return crypto.UnmarshalPrivateKey(kept)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key, err := newKey(kind)
	if err != nil {
		return nil, err
	}
	bytes, err := crypto.MarshalPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, os.WriteFile(file, bytes, 0o600)
}

func newKey(kind string) (crypto.PrivKey, error) {
	kinds := map[string]int{
		"ed25519": crypto.Ed25519, "secp256k1": crypto.Secp256k1,
		"ecdsa": crypto.ECDSA, "rsa": crypto.RSA,
	}
	id, known := kinds[kind]
	if !known {
		return nil, fmt.Errorf("--key %s: ed25519, secp256k1, ecdsa or rsa", kind)
	}
	const rsaBits = 2048 // The other kinds have one size.
	key, _, err := crypto.GenerateKeyPairWithReader(id, rsaBits, rand.Reader)
	return key, err
}

func securityOption(name string) (libp2p.Option, error) {
	switch name {
	case "noise":
		return libp2p.Security(noise.ID, noise.New), nil
	case "tls":
		return libp2p.Security(libp2ptls.ID, libp2ptls.New), nil
	default:
		return nil, fmt.Errorf("--security %s: noise or tls", name)
	}
}

func resourceManager() (network.ResourceManager, error) {
	streams := rcmgr.ResourceLimits{
		Streams: streamsPerPeer, StreamsInbound: streamsPerPeer, StreamsOutbound: streamsPerPeer,
	}
	limits := rcmgr.PartialLimitConfig{PeerDefault: streams, ProtocolPeerDefault: streams}
	return rcmgr.NewResourceManager(
		rcmgr.NewFixedLimiter(limits.Build(rcmgr.DefaultLimits.AutoScale())))
}
