import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.client.registration.ClientRegistrations;
import org.springframework.security.oauth2.client.endpoint.OAuth2ClientCredentialsGrantRequest;
import org.springframework.security.oauth2.client.endpoint.RestClientClientCredentialsTokenResponseClient;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.jwt.JwtAudienceValidator;
import org.springframework.security.oauth2.jwt.JwtDecoders;
import org.springframework.security.oauth2.jwt.JwtIssuerValidator;
import org.springframework.security.oauth2.jwt.JwtTypeValidator;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;

/** Spring Security gets a token and verifies it, and knows nothing but the issuer: SpringClients ISSUER AUDIENCE < "id\nsecret". */
class SpringClients {
    public static void main(String[] arguments) throws Exception {
        var issuer = arguments[0];
        var audience = arguments[1];
        var pair = new String(System.in.readAllBytes()).split("\n");
        ClientRegistration registration = ClientRegistrations.fromIssuerLocation(issuer)
            .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
            .clientId(pair[0])
            .clientSecret(pair[1])
            .build();
        var token = new RestClientClientCredentialsTokenResponseClient()
            .getTokenResponse(new OAuth2ClientCredentialsGrantRequest(registration))
            .getAccessToken().getTokenValue();
        JwtDecoders.fromIssuerLocation(issuer);
        var decoder = NimbusJwtDecoder.withIssuerLocation(issuer).validateType(false).build();
        decoder.setJwtValidator(JwtValidators.createDefaultWithValidators(
            new JwtTypeValidator("at+jwt"), new JwtIssuerValidator(issuer), new JwtAudienceValidator(audience)));
        var jwt = decoder.decode(token);
        System.out.println(registration.getProviderDetails().getTokenUri());
        System.out.println(jwt.getSubject() + " " + jwt.getAudience() + " " + jwt.getClaimAsString("scope"));
    }
}
