package gunyah.vmm.net;

/** Who is who in a user network, 10.0.2.0/24: the addresses QEMU's user network has. */
final class UserAddresses {
    static final int NET = 0x0a000200;
    static final int MASK = 0xffffff00;
    /** The gateway, and this computer's loopback addresses. */
    static final int GATEWAY = 0x0a000202;
    /** Passes questions on to this computer's name server. */
    static final int DNS = 0x0a000203;
    static final int GUEST = 0x0a00020f;
    static final long GATEWAY_MAC = 0x5255_0a00_0202L;
    static final long BROADCAST_MAC = 0xffff_ffff_ffffL;

    private UserAddresses() {
    }
}
