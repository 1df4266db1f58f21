package gunyah.vmm.net;

/**
 * An Ethernet frame on its way. Nobody changes one that was handed on.
 *
 * @param bytes         from the destination address on, without the check sequence
 * @param length        how many of them
 * @param checksumStart where the transport checksum's range starts, when the field at {@code checksumField} holds only
 *                      the pseudo header's sum and the receiver may take the frame as intact; 0 = it is complete
 * @param checksumField bytes from {@code checksumStart} to the field
 * @param segmentSize   payload of each TCP segment when the frame stands for several; 0 = it is one
 */
record Frame(byte[] bytes, int length, int checksumStart, int checksumField, int segmentSize) {
    /** Ethernet header and what a frame on a wire carries at most. */
    static final int MTU = 1500;
    static final int HEADER = 14;
    /** The longest frame that stands for several: an IP packet has at most 65535 bytes. */
    static final int MAX_LENGTH = HEADER + 0xffff;

    static Frame of(byte[] bytes) {
        return new Frame(bytes, bytes.length, 0, 0, 0);
    }

    /** {@return the frame with its checksum completed} */
    Frame withChecksum() {
        if (checksumStart == 0) {
            return this;
        }
        byte[] copy = java.util.Arrays.copyOf(bytes, length);
        int sum = InternetChecksum.finish(InternetChecksum.add(0, copy, checksumStart, length - checksumStart));
        copy[checksumStart + checksumField] = (byte) (sum >> 8);
        copy[checksumStart + checksumField + 1] = (byte) sum;
        return new Frame(copy, length, 0, 0, segmentSize);
    }
}
