package gunyah.rm.rpc;

/** How a parcel changes hands; the ordinal is the byte on the wire (memparcel.h {@code trans_type}). */
public enum ParcelTransfer {
    DONATE, LEND, SHARE
}
