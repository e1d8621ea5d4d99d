/**
 * What multiaddrs stand for on the network, and what is known of the addresses of peers. Its door
 * is {@link io.grpcstream.libp2p.addresses.AddressBook}; any thread. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.addresses;

import org.jspecify.annotations.NullMarked;
