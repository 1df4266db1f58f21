package gunyah.arm64.mmu;

/** Fault status codes and the other ISS bits of aborts (Arm ARM DDI 0487, D17.2.37, ESR_EL1, data abort). */
public final class Fault {
    /** Plus the level 0..3 in bits 1:0. */
    public static final int ADDRESS_SIZE = 0b000000;
    /** Plus the level. */
    public static final int TRANSLATION = 0b000100;
    /** Plus the level. */
    public static final int ACCESS_FLAG = 0b001000;
    /** Plus the level. */
    public static final int PERMISSION = 0b001100;
    public static final int EXTERNAL = 0b010000;
    public static final int ALIGNMENT = 0b100001;
    /** Of a watchpoint exception. */
    public static final int DEBUG = 0b100010;

    /** The access was a write. */
    public static final int WNR = 1 << 6;
    /** Stage-2 fault on a stage-1 walk. */
    public static final int S1PTW = 1 << 7;
    /** The access was a cache maintenance or address translation instruction. */
    public static final int CM = 1 << 8;

    private Fault() {
    }
}
