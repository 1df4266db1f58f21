package gunyah.hyp.vcpu;

/** The VPM group a vCPU belongs to, as the vCPU sees it. */
public interface PowerGroup {
    /** The vCPU is gone. */
    void left(Vcpu vcpu);

    /** {@return whether every other vCPU of the group is powered off} */
    boolean isLastOn(Vcpu vcpu);

    /** {@return whether the last vCPU may not power itself off} */
    boolean aggregates();
}
