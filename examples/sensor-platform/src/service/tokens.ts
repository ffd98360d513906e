import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose';

export const ISSUER = 'auth-service';
export const AUDIENCE = 'sensor-platform';

/** Who a token stands for, or why it stands for nobody. */
export type Verdict =
  | { readonly active: true; readonly subject: string }
  | { readonly active: false; readonly why: string };

/**
 * Checks signature, algorithm, issuer, audience and expiry. One algorithm is
 * allowed, so neither `none` nor another key's signature gets through.
 */
export async function verifyToken(token: string, keys: JWTVerifyGetKey): Promise<Verdict> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ['EdDSA'],
      issuer: ISSUER,
      audience: AUDIENCE,
      requiredClaims: ['sub', 'exp'],
    });
    return { active: true, subject: payload.sub ?? '' };
  } catch (error) {
    if (error instanceof errors.JOSEError) return { active: false, why: error.code };
    throw error;
  }
}
