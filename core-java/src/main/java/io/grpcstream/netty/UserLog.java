package io.grpcstream.netty;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The logger of what users are to read: that of the class which they know, not of this room's. */
public final class UserLog {
  public static final Logger LOG = LoggerFactory.getLogger("io.grpcstream.GrpcStream");

  private UserLog() {}
}
