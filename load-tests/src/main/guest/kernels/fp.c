/* Kernels of floating point and AdvSIMD. */
#include "platform.h"
#include <arm_neon.h>

#define NOINLINE __attribute__((noinline))

static u64 bits_of(double value)
{
    u64 bits;
    __builtin_memcpy(&bits, &value, 8);
    return bits;
}

static u64 mandelbrot(void)
{
    u64 sum = 0;
    for (int y = 0; y < 160; y++)
        for (int x = 0; x < 160; x++) {
            double cr = x * (3.0 / 160) - 2.2, ci = y * (2.4 / 160) - 1.2, zr = 0, zi = 0;
            int n = 0;
            while (n < 500 && zr * zr + zi * zi < 4.0) {
                double t = zr * zr - zi * zi + cr;
                zi = 2 * zr * zi + ci;
                zr = t;
                n++;
            }
            sum += n;
        }
    return sum;
}

typedef struct {
    double x, y, z, vx, vy, vz, mass;
} body;

static double root(double value)
{
    double result;
    __asm__("fsqrt %d0, %d1" : "=w"(result) : "w"(value));
    return result;
}

static NOINLINE void advance(body *all, int count, double step)
{
    for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++) {
            double dx = all[i].x - all[j].x, dy = all[i].y - all[j].y, dz = all[i].z - all[j].z;
            double square = dx * dx + dy * dy + dz * dz;
            double magnitude = step / (square * root(square));
            all[i].vx -= dx * all[j].mass * magnitude;
            all[i].vy -= dy * all[j].mass * magnitude;
            all[i].vz -= dz * all[j].mass * magnitude;
            all[j].vx += dx * all[i].mass * magnitude;
            all[j].vy += dy * all[i].mass * magnitude;
            all[j].vz += dz * all[i].mass * magnitude;
        }
    for (int i = 0; i < count; i++) {
        all[i].x += step * all[i].vx;
        all[i].y += step * all[i].vy;
        all[i].z += step * all[i].vz;
    }
}

static u64 n_body(void)
{
    body all[5];
    for (int i = 0; i < 5; i++)
        all[i] = (body){i * 5.2, i * -1.1 + 0.3, i * 0.11, 0.4 * i, 1.9 - i * 0.3, 0.02 * i, i ? 0.03 / i : 39.4};
    for (int i = 0; i < 60000; i++)
        advance(all, 5, 0.001);
    return bits_of(all[0].x + all[4].y);
}

/* Single precision with fused multiply-add. */
static u64 filter(void)
{
    float *in = (float *)arena, *out = in + 8192, taps[16];
    for (int i = 0; i < 16; i++)
        taps[i] = 1.0f / (i + 3);
    for (int i = 0; i < 4096 + 16; i++)
        in[i] = (float)(i * 37 % 101) - 50;
    for (int round = 0; round < 60; round++)
        for (int i = 0; i < 4096; i++) {
            float sum = 0;
            for (int k = 0; k < 16; k++)
                __asm__("fmadd %s0, %s1, %s2, %s0" : "+w"(sum) : "w"(in[i + k]), "w"(taps[k]));
            out[i] = sum;
        }
    float total = 0;
    for (int i = 0; i < 4096; i++)
        total += out[i];
    return bits_of(total);
}

/* Conversions and comparisons: a polynomial, rounded, binned. */
static u64 histogram(void)
{
    u32 *bins = (u32 *)arena;
    for (int i = 0; i < 1024; i++)
        bins[i] = 0;
    double x = 0.1;
    for (int i = 0; i < 5000000; i++) {
        x = 3.99 * x * (1 - x);
        s32 bin = x * 1024;
        if (x < 0.0001)
            x = 0.3;
        bins[bin]++;
    }
    u64 sum = 0;
    for (int i = 0; i < 1024; i++)
        sum = sum * 31 + bins[i];
    return sum;
}

static NOINLINE void copy_vectors(u8 *to, const u8 *from, u64 bytes)
{
    for (u64 i = 0; i < bytes; i += 64)
        __asm__ volatile("ldp q0, q1, [%1]\n ldp q2, q3, [%1, #32]\n stp q0, q1, [%0]\n stp q2, q3, [%0, #32]"
                         : : "r"(to + i), "r"(from + i) : "v0", "v1", "v2", "v3", "memory");
}

static u64 vector_copy(void)
{
    for (u64 i = 0; i < 1 << 15; i++)
        ((u64 *)arena)[i] = i * 0x9e3779b97f4a7c15;
    for (int round = 0; round < 2000; round++)
        copy_vectors(arena + (1 << 20), arena, 1 << 18);
    return *(u64 *)(arena + (1 << 20) + 80000);
}

static u64 dot_product(void)
{
    s8 *a = (s8 *)arena, *b = a + 65536;
    for (int i = 0; i < 65536; i++) {
        a[i] = i * 7;
        b[i] = i * 13 + 5;
    }
    s32 sum = 0;
    for (int round = 0; round < 200; round++) {
        int32x4_t total = vdupq_n_s32(round);
        for (int i = 0; i < 65536; i += 16)
            total = vdotq_s32(total, vld1q_s8(a + i), vld1q_s8(b + i));
        sum += vaddvq_s32(total);
    }
    return (u32)sum;
}

static u64 vector_integer(void)
{
    u32 *a = (u32 *)arena, *b = a + 8192;
    for (int i = 0; i < 8192; i++) {
        a[i] = i * 2654435761u;
        b[i] = i * 40503u;
    }
    for (int round = 0; round < 400; round++)
        for (int i = 0; i < 8192; i += 4) {
            uint32x4_t x = vld1q_u32(a + i), y = vld1q_u32(b + i);
            x = vaddq_u32(vmulq_u32(x, y), veorq_u32(x, vshrq_n_u32(y, 5)));
            x = vbslq_u32(vcgtq_u32(x, y), x, vsubq_u32(y, x));
            vst1q_u32(a + i, x);
        }
    u64 sum = 0;
    for (int i = 0; i < 8192; i++)
        sum = sum * 31 + a[i];
    return sum;
}

static u64 vector_double(void)
{
    double *a = (double *)arena, *b = a + 4096;
    for (int i = 0; i < 4096; i++) {
        a[i] = i * 0.001;
        b[i] = 1.0 / (i + 1);
    }
    for (int round = 0; round < 400; round++)
        for (int i = 0; i < 4096; i += 2) {
            float64x2_t x = vld1q_f64(a + i), y = vld1q_f64(b + i);
            x = vaddq_f64(vmulq_f64(x, vdupq_n_f64(0.999)), y);
            vst1q_f64(a + i, x);
        }
    double sum = 0;
    for (int i = 0; i < 4096; i++)
        sum += a[i];
    return bits_of(sum);
}

const kernel fp_kernels[] = {
    {"mandelbrot", mandelbrot}, {"n-body", n_body}, {"FMADD filter", filter}, {"convert", histogram},
    {"copy LDP Q", vector_copy}, {"SDOT int8", dot_product}, {"vector integer", vector_integer},
    {"vector double", vector_double}, {0, 0}};
