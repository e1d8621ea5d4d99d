/**
 * multistream-select 1.0: two peers agree on the protocol that a connection or a stream speaks
 * next. Two pipeline handlers, one for each role, that remove themselves once a protocol is agreed.
 * Internal.
 */
@NullMarked
package io.grpcstream.libp2p.multistream;

import org.jspecify.annotations.NullMarked;
