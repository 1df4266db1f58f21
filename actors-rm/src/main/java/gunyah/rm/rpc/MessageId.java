package gunyah.rm.rpc;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Every message with a number (public Resource Manager message headers; L17 marks what only the Linux v17 driver
 * sends): id, layout of the request or notification, layout of the reply after its error word. {@code pad} is ignored,
 * {@code zero} is checked; {@code *} repeats to the end or by the count before it; lists are
 * {@code u16 count, u16 spare, entries}.
 */
public enum MessageId {
    VM_ALLOC_VMID(0x56000001, "u16 vmid, u16 pad", "u32 vmid"),
    VM_DEALLOC_VMID(0x56000002, "u16 vmid, u16 pad", ""),
    VM_START(0x56000004, "u16 vmid, u16 pad", ""),
    VM_STOP(0x56000005, "u16 vmid, u8 flags, u8 pad, u32 reason", ""),
    VM_RESET(0x56000006, "u16 vmid, u16 pad", ""),
    VM_SUSPEND(0x56000007, "", ""),
    VM_RESUME(0x56000008, "", ""),
    VM_CONFIG_IMAGE(0x56000009,
            "u16 vmid, u16 auth, u32 handle, u64 imageOffset, u64 imageSize, u64 dtbOffset, u64 dtbSize", ""),
    VM_AUTH_IMAGE(0x5600000a, "u16 vmid, u16 n, {u32 type, u32 value}*", ""),
    VM_INIT(0x5600000b, "u16 vmid, u16 zero", ""),
    /** Number of SET_BOOT_CONTEXT up to version 16 of the Linux series. */
    VM_SET_BOOT_CONTEXT_V16(0x5600000c, "u16 vmid, u8 set, u8 index, u32 pad, u64 value", ""),
    VM_GET_ID(0x56000010, "u16 vmid, u16 pad", "u32 n, {u8 type, u8 zero, u16 size, u8*}*"),
    VM_LOOKUP_URI(0x56000011, "u16 size, u16 pad, u8*", "u32 n, u32 vmid*"),
    VM_LOOKUP_GUID(0x56000012, "u8[16]", "u32 n, u32 vmid*"),
    VM_LOOKUP_NAME(0x56000013, "u16 size, u16 pad, u8*", "u32 n, u32 vmid*"),
    VM_GET_OWNER(0x56000015, "", "u32 vmid"),
    VM_GET_STATE(0x56000017, "u16 vmid, u16 pad", "u8 state, u8 osState, u16 appStatus"),
    VM_SET_STATUS(0x56000080, "u8 zero, u8 osState, u16 appStatus", ""),
    VM_GET_CRASH_MSG(0x56000019, "u16 vmid, u16 pad", "u16 size, u16 zero, u8*"),
    VM_GET_HYP_RESOURCES(0x56000020, "u16 vmid, u16 pad", "u32 n, resource[44]*"),
    VM_GET_HYP_CAPIDS(0x56000021, "", ""),
    VM_GET_HYP_IRQS(0x56000022, "", ""),
    VM_GET_VMID(0x56000024, "", "u32 vmid"),
    VM_GET_PEERS(0x56000025, "", "u32 n, u32 vmid*"),
    VM_SET_TIME_BASE(0x56000030, "u16 vmid, u16 pad, u64 timeBase, u64 sysTimerRef", ""),
    VM_SET_BOOT_CONTEXT(0x56000031, "u16 vmid, u8 set, u8 index, u32 pad, u64 value", ""),
    VM_SET_FIRMWARE_MEM(0x56000032, "u16 vmid, u16 zero, u32 handle, u64 offset, u64 size", ""),
    /** L17. */
    VM_SET_DEMAND_PAGING(0x56000033, "u16 vmid, u16 pad, u32 n, {u64 base, u64 size}*", ""),
    /** L17. */
    VM_SET_ADDRESS_LAYOUT(0x56000034, "u16 vmid, u16 pad, u32 range, u64 base, u64 size", ""),
    VM_IRQ_ACCEPT(0x56000050, "u32 handle, u32 virq", "u32 virq"),
    VM_IRQ_LEND(0x56000051, "u16 borrower, u16 pad, u32 virq, u32 label", "u32 handle"),
    VM_IRQ_RELEASE(0x56000052, "u32 handle", ""),
    VM_IRQ_RECLAIM(0x56000053, "u32 handle", ""),
    VM_IRQ_NOTIFY(0x56000054, "u32 handle, u32 flags, {u16 n, u16 pad, {u16 vmid, u16 pad}*}", ""),
    VM_IRQ_UNMAP(0x56000055, "", ""),
    CONSOLE_OPEN(0x56000081, "u16 target, u16 pad", ""),
    CONSOLE_CLOSE(0x56000082, "u16 target, u16 pad", ""),
    CONSOLE_WRITE(0x56000083, "u16 target, u16 size, u8*", ""),
    CONSOLE_FLUSH(0x56000084, "u16 target, u16 pad", ""),
    VM_EXIT(0x56000085, "u16 flags, u8 code, u8 zero", ""),
    VM_SET_CRASH_MSG(0x56000086, "u16 size, u16 pad, u8*", ""),
    VM_HOST_GET_TYPE(0x560000a0, "", "u32 type"),
    IPA_RESERVE(0x560000b0, "u8 type, u8[3] pad, u32 generic, u32 platform, list {u64 base, u64 size}", ""),
    IPA_UNRESERVE(0x560000b1, "", ""),

    MEM_DONATE(0x51000010, Layout.PARCEL, "u32 handle"),
    MEM_ACCEPT(0x51000011, "u32 handle, u8 memType, u8 transType, u8 flags, u8 pad, u32 label, list acl, "
            + "list {u64 ipa, u64 size}, list attributes", "u16 n, u8 flags, u8 zero, {u64 ipa, u64 size}*"),
    MEM_LEND(0x51000012, Layout.PARCEL, "u32 handle"),
    MEM_SHARE(0x51000013, Layout.PARCEL, "u32 handle"),
    MEM_RELEASE(0x51000014, "u32 handle, u8 flags, u8[3] pad", ""),
    MEM_RECLAIM(0x51000015, "u32 handle, u8 flags, u8[3] pad", ""),
    MEM_NOTIFY(0x51000017, "u32 handle, u8 flags, u8[3] pad, u32 tag, list {u16 vmid, u16 pad}", ""),
    MEM_APPEND(0x51000018, "u32 handle, u8 flags, u8[3] pad, list {u64 ipa, u64 size}", ""),
    MEM_QCOM_LOOKUP_SGL(0x5100001a,
            "u8 memType, u8[3] pad, u32 label, list acl, list {u64 ipa, u64 size}, list attributes", "u32 handle"),
    FW_MILESTONE(0x51000020, "", ""),
    FW_SET_VM_FIRMWARE(0x51000021, "u16 auth, u16 zero, u32 handle, u64 offset, u64 size", ""),

    MEM_SHARED(0x51100011, "u32 handle, u8 memType, u8 transType, u8 flags, u8 zero, u16 owner, u16 pad, u32 label, "
            + "u32 tag, list acl, list {u64 size}, list attributes"),
    MEM_RELEASED(0x51100012, "u32 handle, u16 vmid, u16 pad, u32 tag"),
    MEM_ACCEPTED(0x51100013, "u32 handle, u16 vmid, u16 pad, u32 tag"),
    MEM_RECALL(0x51100014, "u32 handle, u32 tag"),
    VM_EXITED(0x56100001, "u16 vmid, u16 exitType, u32 size, u32*"),
    VM_SHUTDOWN(0x56100002, "u32 reason"),
    VM_STATUS(0x56100008, "u16 vmid, u16 zero, u8 state, u8 osState, u16 appStatus"),
    VM_IRQ_LENT(0x56100011, "u16 owner, u16 pad, u32 handle, u32 label"),
    VM_IRQ_RELEASED(0x56100012, "u32 handle"),
    VM_IRQ_ACCEPTED(0x56100013, "u32 handle"),
    CONSOLE_CHARS(0x56100080, "u16 from, u16 size, u8*");

    private static final Map<Integer, MessageId> BY_ID = new HashMap<>();

    static {
        for (MessageId message : values()) {
            BY_ID.put(message.id, message);
        }
    }

    private final int id;
    private final boolean notification;
    private final String layout;
    private final String replyLayout;

    MessageId(int id, String layout, String replyLayout) {
        this(id, false, layout, replyLayout);
    }

    MessageId(int id, String layout) {
        this(id, true, layout, "");
    }

    MessageId(int id, boolean notification, String layout, String replyLayout) {
        this.id = id;
        this.notification = notification;
        this.layout = layout;
        this.replyLayout = replyLayout;
    }

    /** {@return the word on the wire} */
    public int id() {
        return id;
    }

    /** {@return whether RM sends it unasked} */
    public boolean isNotification() {
        return notification;
    }

    /** {@return the fields of the request or notification, for people} */
    public String layout() {
        return layout;
    }

    /** {@return the fields of the reply after the error word, for people} */
    public String replyLayout() {
        return replyLayout;
    }

    /** {@return the message of this id; empty for an id without one} */
    public static Optional<MessageId> of(int id) {
        return Optional.ofNullable(BY_ID.get(id));
    }

    private static final class Layout {
        static final String PARCEL = "u8 memType, u8 pad, u8 flags, u8 pad, u32 label, "
                + "list {u16 vmid, u8 rights, u8 pad}, list {u64 ipa, u64 size}, list {u16 attribute, u16 vmid}";
    }
}
