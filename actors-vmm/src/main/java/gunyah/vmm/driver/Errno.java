package gunyah.vmm.driver;

import gunyah.hyp.HypError;

/** Error numbers the driver answers with, under their Linux names (include/linux/gunyah.h and rsc_mgr.h remap tables). */
public enum Errno {
    OK(0), EPERM(1), ENOENT(2), EINTR(4), EIO(5), E2BIG(7), EBADF(9), EAGAIN(11), ENOMEM(12), EACCES(13), EFAULT(14),
    EBUSY(16), EEXIST(17), ENODEV(19), EINVAL(22), EMFILE(24), ENOTTY(25), EBADMSG(74), EOVERFLOW(75), EOPNOTSUPP(95);

    private final int number;

    Errno(int number) {
        this.number = number;
    }

    /** {@return the positive Linux number} */
    public int number() {
        return number;
    }

    /** {@return what a hypercall's error word means to the driver's callers; unknown codes are EINVAL} */
    public static Errno ofHypercall(long code) {
        return switch (HypError.of(code)) {
            case OK -> OK;
            case UNIMPLEMENTED -> EOPNOTSUPP;
            case RETRY -> EAGAIN;
            case NOMEM -> ENOMEM;
            case DENIED, CSPACE_CAP_NULL, CSPACE_CAP_REVOKED, CSPACE_WRONG_OBJECT_TYPE, CSPACE_INSUFFICIENT_RIGHTS ->
                EACCES;
            case BUSY, IDLE, CSPACE_FULL -> EBUSY;
            case VIRQ_BOUND, VIRQ_NOT_BOUND, MSGQUEUE_EMPTY, MSGQUEUE_FULL -> EIO;
            default -> EINVAL;
        };
    }

    /** {@return what the error word of a Resource Manager reply means to the driver's callers} */
    public static Errno ofRm(int code) {
        return switch (code) {
            case 0x0 -> OK;
            case 0xffffffff -> EOPNOTSUPP;
            case 0x1 -> ENOMEM;
            case 0x2 -> ENODEV;
            case 0x3 -> EPERM;
            case 0x5 -> EBUSY;
            case 0x4, 0x6, 0x7, 0x8, 0x9, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf, 0x10, 0x11 -> EINVAL;
            default -> EBADMSG;
        };
    }
}
