package grpcstream

import (
	"net"
	"sync"

	"github.com/libp2p/go-libp2p/core/network"
)

// Listener is a net.Listener over the streams that a host accepts:
//
//	listener := grpcstream.NewListener()
//	host.SetStreamHandler("/greeter/1.0.0", listener.Handle)
//	server.Serve(listener)
type Listener struct {
	streams   chan network.Stream
	closed    chan struct{}
	closeOnce sync.Once
}

// NewListener returns a listener that no stream has reached yet.
func NewListener() *Listener {
	return &Listener{streams: make(chan network.Stream), closed: make(chan struct{})}
}

// Handle waits until the stream is accepted; it resets the stream if the listener is closed. It is a
// network.StreamHandler, which libp2p runs in a goroutine of its own.
func (l *Listener) Handle(stream network.Stream) {
	select {
	case l.streams <- stream:
	case <-l.closed:
		_ = stream.Reset() // The stream is gone either way.
	}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case stream := <-l.streams:
		return conn{stream}, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close refuses further streams, and those that wait; those accepted stay open.
func (l *Listener) Close() error {
	l.closeOnce.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener. The host listens, not we: this names no address.
func (l *Listener) Addr() net.Addr { return listenerAddr{} }

type listenerAddr struct{}

func (listenerAddr) Network() string { return "libp2p" }
func (listenerAddr) String() string  { return "libp2p" }
