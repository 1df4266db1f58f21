package gunyah.vmm.vsock;

import gunyah.vmm.virtio.Bits;

/** The header of a vsock packet (virtio 1.2, 5.10.6): 44 bytes, little endian. Owned by the device's loop, reused. */
final class VsockHeader {
    static final int SIZE = 44;
    /** This computer's address; guests have 3 and more. */
    static final long HOST_CID = 2;
    static final int STREAM = 1;

    static final int REQUEST = 1;
    static final int RESPONSE = 2;
    static final int RST = 3;
    static final int SHUTDOWN = 4;
    static final int RW = 5;
    static final int CREDIT_UPDATE = 6;
    static final int CREDIT_REQUEST = 7;

    /** Flags of SHUTDOWN: its sender receives no more, sends no more. */
    static final int NO_RECEIVE = 1;
    static final int NO_SEND = 2;

    final byte[] bytes = new byte[SIZE];

    long sourceCid() {
        return Bits.le64(bytes, 0);
    }

    long destinationCid() {
        return Bits.le64(bytes, 8);
    }

    int sourcePort() {
        return Bits.le32(bytes, 16);
    }

    int destinationPort() {
        return Bits.le32(bytes, 20);
    }

    /** {@return bytes of data behind the header, unsigned} */
    long length() {
        return Bits.le32(bytes, 24) & 0xffff_ffffL;
    }

    int type() {
        return Bits.le16(bytes, 28);
    }

    int operation() {
        return Bits.le16(bytes, 30);
    }

    int flags() {
        return Bits.le32(bytes, 32);
    }

    /** {@return bytes the sender has room for} */
    int window() {
        return Bits.le32(bytes, 36);
    }

    /** {@return bytes that the sender took out of that room so far, modulo 2^32} */
    int taken() {
        return Bits.le32(bytes, 40);
    }

    /** Makes it a packet from this computer to the guest, without data and credit. */
    VsockHeader toGuest(long guestCid, int hostPort, int guestPort, int type, int operation) {
        Bits.le64(bytes, 0, HOST_CID);
        Bits.le64(bytes, 8, guestCid);
        Bits.le32(bytes, 16, hostPort);
        Bits.le32(bytes, 20, guestPort);
        Bits.le32(bytes, 24, 0);
        Bits.le16(bytes, 28, type);
        Bits.le16(bytes, 30, operation);
        Bits.le32(bytes, 32, 0);
        credit(0, 0);
        return this;
    }

    VsockHeader length(int length) {
        Bits.le32(bytes, 24, length);
        return this;
    }

    VsockHeader flags(int flags) {
        Bits.le32(bytes, 32, flags);
        return this;
    }

    VsockHeader credit(int window, int taken) {
        Bits.le32(bytes, 36, window);
        Bits.le32(bytes, 40, taken);
        return this;
    }
}
