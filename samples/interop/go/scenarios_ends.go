package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	libp2ppeer "github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"grpcstream.io/samples/interop/greeterpb"
	"grpcstream.io/samples/interop/interoppb"
)

// gracefulStop stops the server during a call, which may finish; the stream takes no new ones.
func gracefulStop(ctx context.Context, p *peer) (string, error) {
	return withChat(ctx, p, func(client greeterpb.GreeterClient, chat greeterpb.Greeter_ChatClient) (string, error) {
		if err := stop(ctx, p, true); err != nil {
			return "", err
		}
		if err := untilRefused(ctx, client); err != nil {
			return "", err
		}
		if err := errors.Join(greetOnce(chat, "Grace"), endChat(chat)); err != nil {
			return "", fmt.Errorf("the call that ran: %w", err)
		}
		_, err := unary(ctx, p)
		return "the call that ran finished, the next was refused, a new stream is served", err
	})
}

// hardStop stops the server during a call, and the call with it.
func hardStop(ctx context.Context, p *peer) (string, error) {
	return withChat(ctx, p, func(client greeterpb.GreeterClient, chat greeterpb.Greeter_ChatClient) (string, error) {
		if err := stop(ctx, p, false); err != nil && status.Code(err) != codes.Unavailable {
			return "", err
		}
		_, err := chat.Recv()
		if err := expectCode("the call that ran", err, codes.Unavailable); err != nil {
			return "", err
		}
		if err := untilRefused(ctx, client); err != nil {
			return "", err
		}
		_, err = unary(ctx, p)
		return "the call that ran ended, a new stream is served", err
	})
}

// reconnect loses the connection during a call, and dials again.
func reconnect(ctx context.Context, p *peer) (string, error) {
	return withChat(ctx, p, func(client greeterpb.GreeterClient, chat greeterpb.Greeter_ChatClient) (string, error) {
		if err := p.disconnect(); err != nil {
			return "", err
		}
		_, err := chat.Recv()
		if err := expectCode("the call that ran", err, codes.Unavailable); err != nil {
			return "", err
		}
		if err := untilRefused(ctx, client); err != nil {
			return "", err
		}
		_, err = unary(ctx, p)
		return "the call that ran ended, a new connection is served", err
	})
}

// wrongIdentity dials the peer's address but expects another peer there.
func wrongIdentity(ctx context.Context, p *peer) (string, error) {
	_, key, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return "", err
	}
	id, err := libp2ppeer.IDFromPublicKey(key)
	if err != nil {
		return "", err
	}
	err = p.host.Connect(ctx, libp2ppeer.AddrInfo{ID: id, Addrs: p.address.Addrs})
	if err == nil {
		return "", fmt.Errorf("connected to %s as if it were %s", p.address.ID, id)
	}
	return "refused: " + err.Error(), expect("connectedness", p.host.Network().Connectedness(id), network.NotConnected)
}

// withChat runs a scenario with a Chat that has been answered once, on a stream of its own.
func withChat(
	ctx context.Context, p *peer,
	run func(greeterpb.GreeterClient, greeterpb.Greeter_ChatClient) (string, error),
) (string, error) {
	return withGreeter(ctx, p, func(client greeterpb.GreeterClient) (string, error) {
		chat, err := client.Chat(ctx)
		if err != nil {
			return "", err
		}
		if err := greetOnce(chat, "Ada"); err != nil {
			return "", err
		}
		return run(client, chat)
	})
}

func stop(ctx context.Context, p *peer, graceful bool) error {
	_, err := withInterop(ctx, p, func(control interoppb.InteropClient) (string, error) {
		_, err := control.Stop(ctx, &interoppb.StopRequest{Graceful: graceful})
		return "", err
	})
	return err
}

// untilRefused makes calls until one fails with UNAVAILABLE, as all do once the news has arrived.
func untilRefused(ctx context.Context, client greeterpb.GreeterClient) error {
	return eventually(ctx, "calls on the old stream are refused", func() (bool, error) {
		_, err := client.SayHello(ctx, &greeterpb.HelloRequest{Name: "Ada"}, grpc.WaitForReady(false))
		if err == nil || status.Code(err) == codes.Unavailable {
			return err != nil, nil
		}
		return false, err
	})
}
