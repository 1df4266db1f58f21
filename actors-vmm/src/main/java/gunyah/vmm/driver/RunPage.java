package gunyah.vmm.driver;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The page a vCPU shares with its client (struct gunyah_vcpu_run, v17 15/35 and 28/35): little endian, 40 bytes used.
 *
 * <pre>
 *  0 u8  immediate_exit      client writes, any thread
 *  8 u32 exit_reason
 * 16 u64 mmio.phys_addr   | u32 status.status           | u64 page_fault.phys_addr
 * 20                      | u16 status.exit_info.type
 * 24 u64 mmio.data        | u32 exit_info.reason_size   | i32 page_fault.attempt
 * 28                      | u8[8] exit_info.reason      | u8  page_fault.resume_action
 * 32 u32 mmio.len
 * 36 u8  mmio.is_write
 * 37 u8  mmio.resume_action
 * </pre>
 *
 * All but {@code immediate_exit} belongs to the driver while RUN is in progress and to the client between two RUNs.
 */
public final class RunPage {
    private static final VarHandle BYTES = MethodHandles.arrayElementVarHandle(byte[].class);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class,
            ByteOrder.LITTLE_ENDIAN);
    private static final int IMMEDIATE_EXIT = 0;
    private static final int EXIT_REASON = 8;
    private static final int ADDRESS = 16;
    private static final int STATUS = 16;
    private static final int EXIT_TYPE = 20;
    private static final int MMIO_DATA = 24;
    private static final int REASON_SIZE = 24;
    private static final int REASON = 28;
    private static final int ATTEMPT = 24;
    private static final int FAULT_RESUME = 28;
    private static final int MMIO_LENGTH = 32;
    private static final int MMIO_IS_WRITE = 36;
    private static final int MMIO_RESUME = 37;

    private final byte[] page = new byte[Uapi.RUN_PAGE_SIZE];

    /** {@return the page itself, as mmap would give it} */
    public byte[] bytes() {
        return page;
    }

    /** Asks RUN to return EINTR before it enters the guest again; 0 clears. Any thread. */
    public void immediateExit(boolean exit) {
        BYTES.setVolatile(page, IMMEDIATE_EXIT, (byte) (exit ? 1 : 0));
    }

    boolean wantsImmediateExit() {
        return (byte) BYTES.getVolatile(page, IMMEDIATE_EXIT) != 0;
    }

    /** {@return one of the EXIT numbers of {@link Uapi}} */
    public int exitReason() {
        return (int) INTS.get(page, EXIT_REASON);
    }

    /** {@return the guest physical address of an MMIO or PAGE_FAULT exit} */
    public long address() {
        return (long) LONGS.get(page, ADDRESS);
    }

    /** {@return bytes accessed, 1 to 8} */
    public int mmioLength() {
        return (int) INTS.get(page, MMIO_LENGTH);
    }

    public boolean mmioIsWrite() {
        return page[MMIO_IS_WRITE] != 0;
    }

    /** {@return the value stored, zero extended; or what the client put there for a load} */
    public long mmioData() {
        return (long) LONGS.get(page, MMIO_DATA);
    }

    /** Answers a load. */
    public void mmioData(long value) {
        LONGS.set(page, MMIO_DATA, value);
    }

    /** Answers an MMIO exit with one of the RESUME numbers of {@link Uapi}. */
    public void mmioResume(int action) {
        page[MMIO_RESUME] = (byte) action;
    }

    int mmioResume() {
        return page[MMIO_RESUME] & 0xff;
    }

    /** {@return why demand paging failed, a negative error number} */
    public int faultAttempt() {
        return (int) INTS.get(page, ATTEMPT);
    }

    /** Answers a PAGE_FAULT exit: FAULT injects an abort, anything else lets the guest try again. */
    public void faultResume(int action) {
        page[FAULT_RESUME] = (byte) action;
    }

    int faultResume() {
        return page[FAULT_RESUME] & 0xff;
    }

    /** {@return one of the VM_STATUS numbers of {@link Uapi}} */
    public int status() {
        return (int) INTS.get(page, STATUS);
    }

    /** {@return exit type as RM gave it} */
    public int exitType() {
        return page[EXIT_TYPE] & 0xff | (page[EXIT_TYPE + 1] & 0xff) << 8;
    }

    /** {@return bytes RM gave as reason; the page keeps the first eight} */
    public int reasonSize() {
        return (int) INTS.get(page, REASON_SIZE);
    }

    public long reason() {
        return (long) LONGS.get(page, REASON);
    }

    void mmioExit(long address, int length, boolean isWrite, long data) {
        exit(Uapi.EXIT_MMIO);
        LONGS.set(page, ADDRESS, address);
        LONGS.set(page, MMIO_DATA, data);
        INTS.set(page, MMIO_LENGTH, length);
        page[MMIO_IS_WRITE] = (byte) (isWrite ? 1 : 0);
        page[MMIO_RESUME] = Uapi.RESUME_HANDLED;
    }

    /** The preset is RETRY, as v17 treats every answer; only a client that asks for FAULT gets one. */
    void pageFaultExit(long address, Errno attempt) {
        exit(Uapi.EXIT_PAGE_FAULT);
        LONGS.set(page, ADDRESS, address);
        INTS.set(page, ATTEMPT, -attempt.number());
        page[FAULT_RESUME] = Uapi.RESUME_RETRY;
    }

    void statusExit(int status, ExitInfo info) {
        exit(Uapi.EXIT_STATUS);
        INTS.set(page, STATUS, status);
        page[EXIT_TYPE] = (byte) info.type();
        page[EXIT_TYPE + 1] = (byte) (info.type() >>> 8);
        INTS.set(page, REASON_SIZE, info.reasonSize());
        LONGS.set(page, REASON, info.reason());
    }

    private void exit(int reason) {
        LONGS.set(page, ADDRESS, 0L);
        LONGS.set(page, ADDRESS + 8, 0L);
        LONGS.set(page, ADDRESS + 16, 0L);
        INTS.set(page, EXIT_REASON, reason);
    }
}
