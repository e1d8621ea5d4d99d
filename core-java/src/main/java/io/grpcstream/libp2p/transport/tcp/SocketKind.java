package io.grpcstream.libp2p.transport.tcp;

import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.kqueue.KQueue;
import io.netty.channel.kqueue.KQueueIoHandler;
import io.netty.channel.kqueue.KQueueServerSocketChannel;
import io.netty.channel.kqueue.KQueueSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;

/** The three ways Netty waits for sockets. Classes of the unused ones are never initialized. */
enum SocketKind {
  EPOLL {
    @Override
    IoHandlerFactory ioHandlerFactory() {
      return EpollIoHandler.newFactory();
    }

    @Override
    Class<? extends IoHandler> ioHandler() {
      return EpollIoHandler.class;
    }

    @Override
    SocketChannel newChannel() {
      return new EpollSocketChannel();
    }

    @Override
    ServerChannel newServerChannel() {
      return new EpollServerSocketChannel();
    }
  },
  KQUEUE {
    @Override
    IoHandlerFactory ioHandlerFactory() {
      return KQueueIoHandler.newFactory();
    }

    @Override
    Class<? extends IoHandler> ioHandler() {
      return KQueueIoHandler.class;
    }

    @Override
    SocketChannel newChannel() {
      return new KQueueSocketChannel();
    }

    @Override
    ServerChannel newServerChannel() {
      return new KQueueServerSocketChannel();
    }
  },
  NIO {
    @Override
    IoHandlerFactory ioHandlerFactory() {
      return NioIoHandler.newFactory();
    }

    @Override
    Class<? extends IoHandler> ioHandler() {
      return NioIoHandler.class;
    }

    @Override
    SocketChannel newChannel() {
      return new NioSocketChannel();
    }

    @Override
    ServerChannel newServerChannel() {
      return new NioServerSocketChannel();
    }
  };

  abstract IoHandlerFactory ioHandlerFactory();

  abstract Class<? extends IoHandler> ioHandler();

  abstract SocketChannel newChannel();

  abstract ServerChannel newServerChannel();

  /** The fastest kind whose native part is on the class path. */
  static SocketKind ofPlatform() {
    if (Epoll.isAvailable()) {
      return EPOLL;
    }
    return KQueue.isAvailable() ? KQUEUE : NIO;
  }

  /** The kind that {@code loop} can run. */
  static SocketKind of(EventLoop loop) {
    if (loop instanceof IoEventLoop ioLoop) {
      for (SocketKind kind : values()) {
        if (ioLoop.isIoType(kind.ioHandler())) {
          return kind;
        }
      }
    }
    throw new IllegalArgumentException(
        "tcp: event loop " + loop + " runs none of epoll, kqueue and NIO");
  }
}
